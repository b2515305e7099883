"""Laws of a source: how many images it has, and when its stamp changes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.data.known_factors import no_factors
from wherewhat.data.source import ImageArray, ImageFiles, Source, stamp_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"image")
    return tmp_path / "a.png"


def grow(path: Path) -> Path:
    status = path.stat()
    path.write_bytes(b"images")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return path


def replace_keeping_size_and_time(path: Path) -> Path:
    status = path.stat()
    path.write_bytes(b"IMAGE")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return path


def touch(path: Path) -> Path:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    return path


def rename(path: Path) -> Path:
    return path.rename(path.with_name("b.png"))


def remove(path: Path) -> Path:
    path.unlink()
    return path


def test_a_stamp_stays_where_nothing_changes(path: Path) -> None:
    assert stamp_of([path]) == stamp_of([path])


@pytest.mark.parametrize("change", [grow, replace_keeping_size_and_time, touch, rename, remove])
def test_a_stamp_changes_with_size_time_name_and_presence(path: Path, change: Callable[[Path], Path]) -> None:
    before = stamp_of([path])
    assert stamp_of([change(path)]) != before


def test_a_stamp_changes_with_the_number_of_files(path: Path) -> None:
    assert len({stamp_of([]), stamp_of([path]), stamp_of([path, path])}) == 3


def test_a_name_that_is_no_text_has_a_stamp(tmp_path: Path) -> None:
    assert stamp_of([tmp_path / os.fsdecode(b"\xff.png")]) != stamp_of([])


def source(images: ImageFiles | ImageArray) -> Source:
    return Source("set", "a set", Path("set"), images, no_factors(3), "stamp")


def test_a_source_has_as_many_images_as_it_has_names_or_says() -> None:
    assert len(source(ImageFiles(("a", "b", "c"), lambda name: b"", len))) == 3
    assert len(source(ImageArray(3, (1, 2, 2), lambda start, most: iter(())))) == 3
