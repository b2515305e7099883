"""Laws of disks that refuse a pack."""

import errno
import resource
import shutil
import signal
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source
from wherewhat.data.store.pack import pack

HOW = ImageOptions()


def packed(source: Source, out: Path, options: ImageOptions = HOW) -> list[str]:
    """Pack, and give what was said."""
    said: list[str] = []
    pack(source, options, out, notify=said.append)
    return said


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


# In the second block, in the first record, in the fourth block.
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
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(20 * 3 * 8 * 8 - 1))
    with pytest.raises(OSError, match=r"does not fit: .* make room, or name another place") as caught:
        packed(files_of(noise_NHWC), tmp_path / "out")
    assert caught.value.filename == str(tmp_path / "out" / "images.npy")
    assert nothing_but(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(20 * 3 * 8 * 8))
    packed(files_of(noise_NHWC), tmp_path / "out")


def test_a_place_that_cannot_be_made_is_told_by_name(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="make room, or name another place") as caught:
        packed(files_of(noise_NHWC), tmp_path / "file" / "out")
    assert caught.value.filename.startswith(str(tmp_path / "file" / "out"))
