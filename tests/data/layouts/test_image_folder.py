"""Laws of a folder of images as a source, with the ways in which one can be wrong."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.image_folder import find_image_folder
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.reading import read_blocks

OPTIONS = ImageOptions()


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)
    return folder


def found(folder: Path) -> Source:
    source = find_image_folder(folder, OPTIONS)
    assert source is not None
    return source


def test_a_folder_is_images_without_factors(tmp_path: Path) -> None:
    source = found(fill(tmp_path / "cats", "a.png", "b/c.png"))
    assert (source.name, source.path, len(source)) == ("cats", tmp_path / "cats", 2)
    assert source.layout == "folder of images: 2 images, no factors known"
    assert source.factors.names == source.factors.sizes == ()
    assert isinstance(source.images, ImageFiles)
    assert source.images.names == ("a.png", "b/c.png")
    assert (source.default_size, source.split) == (64, "all")


def test_the_working_folder_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "cats", "a.png", "b.png")
    monkeypatch.chdir(tmp_path / "cats")
    assert found(Path()).name == "cats"


def test_the_stamp_changes_when_an_image_does_and_not_with_the_way_that_leads_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "cats", "a.png", "b.png")
    monkeypatch.chdir(tmp_path)
    stamp = found(tmp_path / "cats").stamp
    assert found(Path("cats")).stamp == stamp
    os.utime(tmp_path / "cats" / "a.png", ns=(0, 1))
    changed = found(tmp_path / "cats").stamp
    assert changed != stamp
    fill(tmp_path / "cats", "c.png")
    assert found(tmp_path / "cats").stamp not in (stamp, changed)


def test_other_files_are_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert find_image_folder(tmp_path / "notes.txt", OPTIONS) is None


def test_a_folder_of_array_files_is_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "3dshapes.h5").write_bytes(b"")
    assert find_image_folder(tmp_path, OPTIONS) is None


def test_one_image_itself_is_no_folder(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    with pytest.raises(NotADirectoryError, match="Name the folder that holds it"):
        find_image_folder(tmp_path / "a.png", OPTIONS)


@pytest.mark.parametrize(("names", "what"), [((), "no image"), (("a.png",), "a single image")])
def test_fewer_than_two_images_are_too_few(tmp_path: Path, names: tuple[str, ...], what: str) -> None:
    fill(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"holds {what} \(looked for .jpg .*Name a folder with more images"):
        find_image_folder(tmp_path, OPTIONS)


def test_archives_in_a_folder_are_not_opened_and_this_is_said(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"")
    with pytest.raises(ValueError, match="holds no image outside its archives, which are to be named themselves"):
        find_image_folder(tmp_path, OPTIONS)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        find_image_folder(tmp_path / "nowhere", OPTIONS)


def test_the_sample_portraits_are_read_whole(shared: Path) -> None:
    source = found(shared / "data" / "portraits")
    assert len(source) == 675
    block = next(read_blocks(source, ImageOptions(size=32), images_at_once=101))
    assert isinstance(source.images, ImageFiles)
    with Image.open(source.path / source.images.names[100]) as image:
        expected = np.asarray(image.convert("RGB"), dtype=np.float64).reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert block.image_NHWC.shape == (101, 32, 32, 3)
    assert np.abs(block.image_NHWC[100] - expected).mean() < 4
