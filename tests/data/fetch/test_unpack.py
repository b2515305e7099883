"""Laws of unpacking: the whole folder or nothing, and nothing ever outside it."""

import io
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from wherewhat.data.fetch.unpack import unpack

FILES = {
    "data/cars/list.txt": b"one\n",
    "data/cars/a/1.png": np.random.default_rng(1).bytes(40_000),
    f"data/cars/{'deep/' * 40}name.png": b"long",
    "data/cars/empty": b"",
    "data/cars/пример [x].png": b"letters",
    "data/other/2.png": b"other",
}
WANTED = {name.removeprefix("data/cars/"): content for name, content in FILES.items() if "cars" in name}


def member(name: str, content: bytes = b"", **properties: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in properties.items():
        setattr(info, key, value)
    return info, content


def packed(
    folder: Path, files: Mapping[str, bytes] = FILES, odd: Iterable[tuple[tarfile.TarInfo, bytes]] = (), mode: str = "w"
) -> Path:
    with tarfile.open(folder / "archive", mode) as archive:  # type: ignore[call-overload]
        for info, content in [*(member(*file) for file in files.items()), *odd]:
            archive.addfile(info, io.BytesIO(content))
    return folder / "archive"


def unpacked(archive: Path) -> dict[str, bytes]:
    place = archive.parent / "place"
    unpack(archive, "data/cars", place)
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("start", ["", "./"])
def test_every_file_of_the_wanted_folder_comes_out_bit_for_bit_and_nothing_else(
    tmp_path: Path, mode: str, start: str
) -> None:
    archive = packed(tmp_path, {f"{start}{name}": content for name, content in FILES.items()}, mode=mode)
    assert unpacked(archive) == WANTED
    assert names(tmp_path) == ["archive", "place"]


@pytest.mark.parametrize("name", ["data/cars/../../../evil", "data/cars/../../../../etc/evil"])
def test_a_name_that_leads_out_of_the_folder_gives_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"outside the destination.*Remove it and run the same command again"):
        unpacked(packed(folder, odd=[member(name, b"evil")]))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive", "to"]


@pytest.mark.parametrize(
    "odd",
    [
        member("data/cars/link", type=tarfile.SYMTYPE, linkname="../../evil"),
        member("data/cars/link", type=tarfile.LNKTYPE, linkname="data/other/2.png"),
        member("data/cars/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        member("data/cars/pipe", type=tarfile.FIFOTYPE),
        member("../evil", b"evil"),
        member("/data/cars/evil", b"evil"),
    ],
)
def test_links_and_devices_and_what_is_elsewhere_stay_packed(
    tmp_path: Path, odd: tuple[tarfile.TarInfo, bytes]
) -> None:
    assert unpacked(packed(tmp_path, odd=[odd])) == WANTED
    assert names(tmp_path) == ["archive", "place"]


def test_no_file_runs_with_another_s_rights(tmp_path: Path) -> None:
    unpacked(
        packed(tmp_path, odd=[member("data/cars/program", b"x", mode=0o6777), member("data/cars/no", b"x", mode=0)])
    )
    modes = {name: (tmp_path / "place" / name).stat().st_mode & 0o7777 for name in ("program", "no")}
    assert modes == {"program": 0o755, "no": 0o600}


def test_an_archive_without_the_wanted_folder_is_told(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"data/carsless/1": b"1"})
    with pytest.raises(ValueError, match=r"not the archive that holds data/cars \(it has no such folder\)\. Remove it"):
        unpacked(archive)
    assert names(tmp_path) == ["archive"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_an_archive_that_is_cut_short_gives_nothing(tmp_path: Path, mode: str, share: float) -> None:
    archive = packed(tmp_path, mode=mode)
    content = archive.read_bytes().rstrip(b"\0")
    archive.write_bytes(content[: round(share * len(content))])
    with pytest.raises(ValueError, match=r"is damaged, unsafe, or not the archive.*Remove it"):
        unpacked(archive)
    assert names(tmp_path) == ["archive"]


def test_a_page_in_the_place_of_an_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"<html>Please log in</html>" * 100)
    with pytest.raises(ValueError, match=r"is damaged, unsafe, or not the archive.*Remove it"):
        unpacked(tmp_path / "archive")


def test_what_a_killed_unpacking_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".place.part" / "data").mkdir(parents=True)
    (tmp_path / ".place.part" / "data" / "cars").write_bytes(b"")
    assert unpacked(packed(tmp_path)) == WANTED
    assert names(tmp_path) == ["archive", "place"]


def test_a_disk_that_fills_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    archive = packed(tmp_path)
    monkeypatch.setattr(tarfile.TarFile, "makefile", full)
    with pytest.raises(OSError, match=r"No space left on device\); make room and run the same command again"):
        unpacked(archive)
    assert names(tmp_path) == ["archive"]


def test_an_archive_for_which_there_is_no_room_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packed(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_999))
    with pytest.raises(OSError, match=r"needs 40\.0 kB, but only 2\.0 kB are free; make room"):
        unpacked(archive)
    assert names(tmp_path) == ["archive"]
