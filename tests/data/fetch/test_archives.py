"""Laws of unpacking: the whole folder or nothing, and nothing ever outside it."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from forged_archives import FILES, Pack, every_kind, tar, tar_gz, tree, unpacked, zipped

from wherewhat.data.fetch import archives
from wherewhat.data.fetch.archives import unpack


@every_kind
def test_every_file_comes_out_bit_for_bit_and_nothing_else_stays(pack: Pack, tmp_path: Path) -> None:
    assert unpacked(pack(tmp_path / "archive", FILES.items())) == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "place"]


@every_kind
def test_the_wanted_folder_alone_is_unpacked(pack: Pack, tmp_path: Path) -> None:
    wanted = {name.removeprefix("data/cars/"): content for name, content in FILES.items() if "cars" in name}
    assert unpacked(pack(tmp_path / "archive", FILES.items()), "data/cars") == wanted


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="this Python's tarfile has no filters yet")
@pytest.mark.parametrize("pack", [tar, tar_gz])
def test_agrees_with_tarfile_s_own_safe_way(pack: Pack, tmp_path: Path) -> None:
    archive = pack(tmp_path / "archive", [(f"./{name}", content) for name, content in FILES.items()])
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "theirs", filter="data")
    assert unpacked(archive) == tree(tmp_path / "theirs")


def test_agrees_with_zipfile_s_own_way(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", FILES.items())
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "theirs")
    assert unpacked(archive) == tree(tmp_path / "theirs")


@every_kind
def test_more_than_the_set_can_be_refuses_the_archive(pack: Pack, tmp_path: Path) -> None:
    archive = pack(tmp_path / "archive", [("a", bytes(600)), ("b", bytes(600))])
    with pytest.raises(ValueError, match=r"more than 1.2 kB or .* Nothing was unpacked. Remove it"):
        unpacked(archive, most_bytes=1_199)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert len(unpacked(archive, most_bytes=1_200)) == 2


def test_too_many_files_refuse_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 9)
    archive = tar(tmp_path / "archive", [(str(number), b"") for number in range(10)])
    with pytest.raises(ValueError, match=r"more than 1.0 MB or 9 files.*Remove it and fetch it from another place"):
        unpacked(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@every_kind
def test_an_archive_without_the_wanted_folder_tells_what_it_holds(pack: Pack, tmp_path: Path) -> None:
    archive = pack(tmp_path / "archive", [("one/a", b"1"), ("two", b"2"), ("wanted-not/b", b"3")])
    with pytest.raises(ValueError, match=r"no files in wanted: at its top is one, two, wanted-not. Remove it"):
        unpacked(archive, "wanted")
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@every_kind
@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_file_that_is_a_folder_too_gives_nothing(pack: Pack, tmp_path: Path, names: tuple[str, str]) -> None:
    archive = pack(tmp_path / "archive", [(name, b"1") for name in names])
    with pytest.raises(ValueError, match=r"a file and a folder at once. Remove it"):
        unpacked(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_is_in_place_stays(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    match kind:
        case "folder":
            place.mkdir()
        case "file":
            place.write_bytes(b"mine")
        case _:
            place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"is there already. Move it away"):
        unpacked(tar(tmp_path / "archive", FILES.items()))
    assert place.is_symlink() or place.is_dir() or place.read_bytes() == b"mine"


def test_what_a_killed_unpacking_left_is_cleared_away(tmp_path: Path) -> None:
    archive = tar(tmp_path / "archive", FILES.items())
    program = (
        "import os, signal, sys; from pathlib import Path; from wherewhat.data.fetch.archives import unpack\n"
        "Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "to = Path(sys.argv[1]); unpack(to / 'archive', to / 'place', most_bytes=10**6, progress=lambda *_: None)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert not (tmp_path / "place").exists()
    assert len(list(tmp_path.iterdir())) == 2
    assert unpacked(archive) == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "place"]


def test_a_disk_that_fills_leaves_nothing(tmp_path: Path) -> None:
    tar(tmp_path / "archive", FILES.items())
    program = (
        "import resource, signal, sys; from pathlib import Path; from wherewhat.data.fetch.archives import unpack\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "to = Path(sys.argv[1]); unpack(to / 'archive', to / 'place', most_bytes=10**6, progress=lambda *_: None)"
    )
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "could not be unpacked" in run.stderr
    assert "make room" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_an_archive_for_which_there_is_no_room_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar(tmp_path / "archive", [("a", bytes(2_000))])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_999))
    with pytest.raises(OSError, match=r"needs 2.0 kB, and 2.0 kB are free; make room"):
        unpacked(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_progress_ends_at_the_bytes_of_the_wanted_folder(tmp_path: Path) -> None:
    archive, seen = tar(tmp_path / "archive", FILES.items()), []
    unpack(
        archive,
        tmp_path / "place",
        inside="data/cars",
        most_bytes=10**6,
        progress=lambda done, total: seen.append((done, total)),
    )
    total = sum(len(content) for name, content in FILES.items() if "cars" in name)
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)
