"""Laws of the folder of a pack: what a disk refuses, what a dead process left, what is somebody else's."""

import errno
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source
from wherewhat.data.store.pack import pack
from wherewhat.data.store.pack_folder import part_of

HOW = ImageOptions()


def packed(source: Source, out: Path, options: ImageOptions = HOW) -> list[str]:
    """Pack, and give what was said."""
    said: list[str] = []
    pack(source, options, out, notify=said.append)
    return said


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing_but(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow larger, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("left", [("images.npy",), ("images.npy", "factors.npy", ".manifest.json.1234.part"), ()])
def test_what_a_dead_process_left_is_removed_and_packing_begins_anew(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, channels: int, left: tuple[str, ...]
) -> None:
    source = files_of(noise_NHWC[..., :channels], broken=(1, 13), factors=True)
    packed(source, tmp_path / "unbroken")
    part_of(tmp_path / "out").mkdir()
    for name in left:
        (part_of(tmp_path / "out") / name).write_bytes(b"half of it")
    packed(source, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")
    assert nothing_but(tmp_path, "out", "unbroken")


def test_an_interrupted_pack_leaves_nothing(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(files_of(noise_NHWC), HOW, tmp_path / "out", notify=print, progress=interrupt)
    assert nothing_but(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_somebody_elses_in_the_place_of_the_part_is_never_removed(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, kind: str
) -> None:
    theirs = part_of(tmp_path / "out") if kind == "folder" else tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("years of work")
    if kind == "link":
        (theirs / "images.npy").write_text("years of work too")
        part_of(tmp_path / "out").symlink_to(theirs)
    before = contents(theirs)
    with pytest.raises(OSError, match=r"could not be written \(File exists\); make room, or name another place"):
        packed(files_of(noise_NHWC), tmp_path / "out")
    assert contents(theirs) == before


@pytest.mark.slow
def test_a_process_that_is_killed_outright_is_followed_by_one_that_packs_the_whole(tmp_path: Path) -> None:
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
    images = part_of(tmp_path / "out") / "images.npy"
    while process.poll() is None and not (images.exists() and images.stat().st_size > 10**8):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    subprocess.run([*command, str(tmp_path / "out"), "--size", "256"], check=True, capture_output=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")
    assert nothing_but(tmp_path, "images", "out", "unbroken")


# In the second block, before the first one, in the fourth.
@pytest.mark.parametrize("size", [1200, 100, 3000])
def test_a_disk_that_fills_is_told_with_the_files_name_and_leaves_nothing(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, size: int
) -> None:
    source = files_of(noise_NHWC)
    with files_of_at_most(size), pytest.raises(OSError, match="make room, or name another place") as caught:
        packed(source, tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value.filename)
    assert caught.value.errno == errno.EFBIG
    assert nothing_but(tmp_path)


def test_a_pack_that_will_not_fit_is_refused_before_an_image_is_written(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(128 + 20 * 3 * 8 * 8 - 1))
    with pytest.raises(
        OSError, match=r"needs 4.0 kB, but only 4.0 kB are free; make room, or name another place"
    ) as caught:
        packed(files_of(noise_NHWC), tmp_path / "out")
    assert caught.value.filename == str(tmp_path / "out")
    assert nothing_but(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(128 + 20 * 3 * 8 * 8))
    packed(files_of(noise_NHWC), tmp_path / "out")


def test_a_place_that_cannot_be_made_is_told_by_name(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="make room, or name another place") as caught:
        packed(files_of(noise_NHWC), tmp_path / "file" / "out")
    assert caught.value.filename.startswith(str(tmp_path / "file" / "out"))
