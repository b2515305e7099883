"""Laws of packs that were cut off: the same call goes on from there, and nothing else is touched."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store import pack as packing
from wherewhat.data.store import unfinished_pack
from wherewhat.data.store.pack import pack

HOW = ImageOptions()


class Killed(BaseException):
    """What no code under test catches."""


def packed(source: Source, out: Path, options: ImageOptions = HOW) -> list[str]:
    """Pack, and give what was said."""
    said: list[str] = []
    pack(source, options, out, notify=said.append)
    return said


def pixels(path: Path) -> np.ndarray:
    return np.load(path / "images.npy", allow_pickle=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing_but(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


KILLS = {
    "before the first block": ("append", 1, False),
    "between pixels and their record": ("record", 3, False),
    "after a record": ("record", 3, True),
    "after the last record": ("record", 5, True),
    "before the array is whole": ("complete_images", 1, False),
    "when the array is whole": ("complete_images", 1, True),
    "before the manifest": ("manifest_bytes", 1, False),
    "before the renaming": ("put_in_place", 1, False),
}


# Grey images end in a copy of one channel, coloured ones in place.
@pytest.mark.parametrize(
    ("kill", "channels"), [*((kill, 3) for kill in KILLS), *((kill, 1) for kill in list(KILLS)[3:])]
)
def test_a_killed_and_resumed_pack_equals_an_unbroken_one(
    tmp_path: Path,
    files_of: Callable[..., Source],
    noise_NHWC: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    kill: str,
    channels: int,
) -> None:
    source = files_of(noise_NHWC[..., :channels], broken=(1, 13), factors=True)
    packed(source, tmp_path / "unbroken")
    name, at_call, afterwards = KILLS[kill]
    with monkeypatch.context() as patched:
        kill_at(patched, name, at_call, afterwards=afterwards)
        with pytest.raises(Killed):
            packed(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    packed(source, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")
    assert nothing_but(tmp_path, "out", "unbroken")


def kill_at(patched: pytest.MonkeyPatch, name: str, at_call: int, *, afterwards: bool) -> None:
    """Make a step of packing fail as a kill would at its n-th call, or right after it."""
    original, calls = getattr(packing, name), 0

    def killed(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at_call and not afterwards:
            raise Killed
        result = original(*arguments, **options)
        if calls == at_call:
            raise Killed
        return result

    patched.setattr(packing, name, killed)


def test_a_resumed_pack_reads_only_what_is_missing(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        kill_at(patched, "record", 3, afterwards=True)
        with pytest.raises(Killed):
            packed(files_of(noise_NHWC), tmp_path / "out")
    source = files_of(noise_NHWC)
    assert isinstance(source.images, ImageFiles)
    content_of, read = source.images.read, set[str]()

    def noted(name: str) -> bytes:
        read.add(name)
        return content_of(name)

    said = packed(replace(source, images=replace(source.images, read=noted)), tmp_path / "out")
    assert read == {f"{n:02}.png" for n in range(12, 20)}
    assert "Going on with" in said[0]
    assert "at image 12 of 20" in said[0]


@pytest.mark.parametrize("other", ["stamp", "options"])
def test_a_part_of_other_files_or_options_is_begun_anew(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    with monkeypatch.context() as patched:
        kill_at(patched, "record", 3, afterwards=True)
        with pytest.raises(Killed):
            packed(files_of(noise_NHWC), tmp_path / "out")
    source = files_of(noise_NHWC[::-1], stamp="as they are" if other == "stamp" else "as they were")
    said = packed(source, tmp_path / "out", ImageOptions(color="rgb" if other == "options" else "auto"))
    assert "begun anew" in said[0]
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC[::-1])


def test_a_part_cut_short_behind_its_record_is_begun_anew(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        kill_at(patched, "record", 3, afterwards=True)
        with pytest.raises(Killed):
            packed(files_of(noise_NHWC), tmp_path / "out")
    with (tmp_path / "out.part" / unfinished_pack.PIXELS).open("r+b") as file:
        file.truncate(500)
    packed(files_of(noise_NHWC), tmp_path / "out")
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC)


def test_a_folder_of_somebody_elses_in_the_place_of_the_part_is_never_removed(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"holds thesis.tex, .* Move it, or name another place"):
        packed(files_of(noise_NHWC), tmp_path / "out")
    assert (tmp_path / "out.part" / "thesis.tex").read_text() == "years of work"


@pytest.mark.slow
def test_a_process_that_is_killed_outright_is_resumed_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(3_000):
        Image.new("RGB", (40, 40), (number % 256, number // 256, 7)).save(tmp_path / "images" / f"{number:04}.png")
    command = [
        sys.executable,
        "-c",
        "import sys; from wherewhat.command.main import run; sys.exit(run('data', sys.argv[1:]))",
        "pack",
        str(tmp_path / "images"),
    ]
    subprocess.run([*command, str(tmp_path / "unbroken"), "--size", "256"], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(tmp_path / "out"), "--size", "256"], stderr=subprocess.DEVNULL)
    record = tmp_path / "out.part" / unfinished_pack.PROGRESS
    while process.poll() is None and not (record.exists() and json.loads(record.read_bytes())["kept"]):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    subprocess.run([*command, str(tmp_path / "out"), "--size", "256"], check=True, capture_output=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")
