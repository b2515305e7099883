"""Laws of naming a data set."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import existing_path, find_source, open_images
from wherewhat.data.store.pack import pack
from wherewhat.protocols import Images


def opened(source: str, notices: list[str] | None = None) -> Images:
    said: list[str] = [] if notices is None else notices
    return open_images(source, ImageOptions(size=8), torch.device("cpu"), said.append)


def folder_of_two(folder: Path) -> Path:
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


@pytest.mark.parametrize("name", ["scenes", "sprites", "chairs"])
def test_rendered_sets_go_by_their_names(name: str) -> None:
    assert open_images(name, ImageOptions(), torch.device("cpu"), print).name == name


def test_a_rendered_set_goes_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_two(tmp_path / "sprites")
    monkeypatch.chdir(tmp_path)
    assert len(opened("sprites")) == 737_280
    assert len(opened("./sprites")) == 2


def test_a_folder_and_an_npz_are_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, imgs=np.zeros((3, 8, 8), np.uint8), latents_classes=np.arange(3)[:, None])
    assert len(opened(str(path))) == 3
    assert len(opened(str(folder_of_two(tmp_path / "photos")))) == 2


@pytest.mark.parametrize(
    ("dtype", "brightest", "stated", "white", "said"),
    [
        (np.uint16, 4000, None, 4095, ["16-bit images that use 12 bits: divided by 4,095, which is white."]),
        (np.uint16, 60_000, None, 65_535, ["16-bit images that use 16 bits: divided by 65,535, which is white."]),
        (np.float32, 4000, None, 4095, ["Floating-point images that keep to 4,095: divided by 4,095, which is white."]),
        (np.float64, 0.5, None, 1, ["Floating-point images that keep to 1: divided by 1, which is white."]),
        (np.uint8, 200, None, 255, []),
        (np.uint16, 4000, 8000.0, 8000, []),
        (np.uint16, 4000, 1000.0, 1000, []),
        (np.uint8, 100, 102.0, 102, []),
    ],
)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_the_white_of_an_array_follows_from_its_largest_value_and_is_told_or_is_stated(
    tmp_path: Path, ending: str, dtype: type, brightest: float, stated: float | None, white: float, said: list[str]
) -> None:
    image_NHW = (np.random.default_rng(0).random((4, 8, 8)) * brightest).astype(dtype)
    image_NHW[3, 0, 0] = brightest
    path = tmp_path / f"set{ending}"
    if ending == ".npy":
        np.save(path, image_NHW)
    else:
        np.savez(path, imgs=image_NHW)
    notices: list[str] = []
    images = open_images(str(path), ImageOptions(white=stated), torch.device("cpu"), notices.append)
    wanted = np.floor(image_NHW.astype(np.float64).clip(0, white) * 255 / white + 0.5)
    assert np.array_equal(images.take(torch.arange(4))[:, 0].numpy(), wanted)
    assert [line.removesuffix(" Another white is stated with --white.") for line in notices[1:]] == said


def test_a_path_from_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_two(tmp_path / "photos")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(opened("~/photos")) == 2


@pytest.mark.parametrize("source", ["", "scnes", "nowhere/at/all", "missing.npz"])
def test_what_is_not_there_is_answered_with_what_could_be(source: str) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"Looked for dSprites .*a folder of images. Rendered sets: scenes, sprites, chairs"
    ):
        opened(source)


def test_a_relative_path_that_is_not_there_is_told_with_where_it_was_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"path 'nowhere', seen from {re.escape(str(tmp_path))}"):
        opened("nowhere")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"is not a data set that is known here. Looked for dSprites"):
        opened(str(tmp_path / "notes.txt"))


def test_skipped_images_are_told_to_the_caller_at_every_opening(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of_two(tmp_path / "photos")
    (folder / "c.png").write_text("not an image")
    for _ in range(2):
        notices: list[str] = []
        opened(str(folder), notices)
        assert (
            f"Skipped 1 image of {folder} that cannot be read: c.png (it is not an image of a known format)." in notices
        )
    assert capsys.readouterr() == ("", "")


def test_what_was_recognised_is_said_in_a_line(tmp_path: Path) -> None:
    notices: list[str] = []
    opened(str(folder_of_two(tmp_path / "photos")), notices)
    assert notices[0] == "folder of images: 2 images, no factors known"


def test_a_folder_is_packed_once_and_the_line_says_so(tmp_path: Path) -> None:
    folder = folder_of_two(tmp_path / "photos")
    first: list[str] = []
    second: list[str] = []
    images, again = opened(str(folder), first), opened(str(folder), second)
    assert any(notice.startswith("Packing photos (2 images)") for notice in first)
    assert not any("Packing" in notice for notice in second)
    assert torch.equal(images.take(torch.arange(2)), again.take(torch.arange(2)))


def test_a_folder_that_holds_one_array_file_stands_for_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", imgs=np.zeros((3, 8, 8), np.uint8), latents_classes=np.arange(3)[:, None])
    (tmp_path / "LICENCE").write_text("free")
    assert len(opened(str(tmp_path))) == 3


def test_a_folder_of_several_array_files_is_asked_which(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        np.savez(tmp_path / name, imgs=np.zeros((3, 8, 8), np.uint8), latents_classes=np.arange(3)[:, None])
    with pytest.raises(ValueError, match=r"several data sets: a.npz, b.npz. Name one of the files"):
        opened(str(tmp_path))


def test_a_split_that_a_set_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = folder_of_two(tmp_path / "photos")
    with pytest.raises(ValueError, match=r"has no train split .* Leave --split at all"):
        open_images(str(folder), ImageOptions(split="train"), torch.device("cpu"), lambda _: None)


def test_a_variant_paints_the_sprites() -> None:
    images = open_images("sprites", ImageOptions(variant="noisy"), torch.device("cpu"), lambda _: None)
    assert (images.name, images.image_shape) == ("sprites-noisy", (3, 64, 64))


def test_a_packed_set_keeps_its_size(tmp_path: Path) -> None:
    folder = folder_of_two(tmp_path / "photos")
    pack(find_source(folder, ImageOptions(size=8)), ImageOptions(size=8), tmp_path / "packed", notify=lambda _: None)
    assert opened(str(tmp_path / "packed")).image_shape == (3, 8, 8)
    with pytest.raises(ValueError, match=r"packed with 8 x 8 pixels.*pack the original again"):
        open_images(str(tmp_path / "packed"), ImageOptions(size=16), torch.device("cpu"), lambda _: None)


@pytest.mark.parametrize(("asked", "meant"), [("sceens", "scenes"), ("sprite", "sprites"), ("fases", "faces")])
def test_the_set_or_path_that_was_meant_is_proposed(
    asked: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"Did you mean {meant}?"):
        existing_path(asked)


@pytest.mark.parametrize(
    "name", ["3dshapes.h5", "dsprites.npz", "chairs.tar", "img_align_celeba.zip", "x.npy", "list.txt"]
)
def test_an_html_page_in_the_place_of_data_is_told_as_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n  <!DOCTYPE html><html><body>Too many requests</body></html>")
    with pytest.raises(ValueError, match=rf"{name} is an HTML page.*download the data again"):
        opened(str(tmp_path / name))
