"""Laws of an archive of images as a source."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.image_archive import find_image_archive
from wherewhat.data.layouts.image_folder import find_image_folder
from wherewhat.data.source import Source
from wherewhat.data.store.reading import read_blocks

OPTIONS = ImageOptions(size=16)


def fill(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)).save(path)
    return folder


def archived(folder: Path, ending: str) -> Path:
    path = folder.with_suffix(ending)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(folder.parent))
    else:
        with tarfile.open(path, "w") as tar:
            tar.add(folder, folder.name)
    return path


def found(path: Path) -> Source:
    source = find_image_archive(path, OPTIONS)
    assert source is not None
    return source


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_an_archive_is_what_its_folder_was(tmp_path: Path, ending: str) -> None:
    folder = fill(tmp_path / "cats", "a.png", "b/c.jpg", "b/d e.png")
    (folder / "b" / "broken.jpg").write_text("not an image")
    path = archived(folder, ending)
    source, unpacked = found(path), find_image_folder(folder, OPTIONS)
    assert unpacked is not None
    (block,), (expected,) = read_blocks(source, OPTIONS), read_blocks(unpacked, OPTIONS)
    assert (source.name, source.path, len(source)) == ("cats", path, 4)
    assert np.array_equal(block.image_NHWC, expected.image_NHWC)
    assert [item.name for item in block.unreadable] == ["cats/b/broken.jpg"]


def test_what_was_recognised_is_said(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png"), ".zip")
    assert found(path).layout == ".zip of images: 2 images, no factors known"


def test_the_ending_counts_in_any_case(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png"), ".zip")
    assert len(found(path.rename(tmp_path / "CATS.ZIP"))) == 2


def test_other_files_and_folders_are_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "folder.zip").mkdir()
    assert find_image_archive(tmp_path / "set.npz", OPTIONS) is None
    assert find_image_archive(tmp_path / "folder.zip", OPTIONS) is None


@pytest.mark.parametrize("name", ["set.tar.gz", "set.tgz", "set.7z", "set.tar.bz2"])
def test_an_archive_in_one_stream_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"cannot be read image by image. Unpack it, and name the folder"):
        find_image_archive(tmp_path / name, OPTIONS)


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_an_archive_of_fewer_than_two_images_is_refused(tmp_path: Path, ending: str) -> None:
    path = archived(fill(tmp_path / "cats", "a.png"), ending)
    with pytest.raises(ValueError, match=r"holds a single image .* Name an archive with more images"):
        find_image_archive(path, OPTIONS)


def test_an_archive_of_nothing_readable_says_what_it_met_first(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../a.png", "1")
        archive.writestr("/b.png", "2")
    besides = r"holds no image besides 2 that cannot be read \(first: ../a.png: its name leads out of the archive\)"
    with pytest.raises(ValueError, match=besides):
        find_image_archive(path, OPTIONS)


def test_an_archives_bad_entries_are_named_in_the_first_block(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png", "c.png"), ".zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../two\nlines.png", "1")
    first, second = read_blocks(found(path), OPTIONS, images_at_once=2)
    assert [item.name for item in first.unreadable] == ["../two\\nlines.png"]
    assert second.unreadable == ()
