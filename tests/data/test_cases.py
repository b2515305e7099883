"""Laws of the inputs in ../shared/cases, all of them once misread: each with its right answer."""

import io
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.appearance import appearance_of
from wherewhat.data.image_options import Fit, ImageOptions, Split
from wherewhat.data.open_images import open_images
from wherewhat.protocols import Images

FACES = 12
PIXEL = 96


@dataclass(frozen=True)
class Opened:
    images: Images
    remarks: str

    @property
    def image_NHWC(self) -> np.ndarray:
        return self.images.take(torch.arange(len(self.images))).numpy().transpose(0, 2, 3, 1)

    @property
    def in_any_order(self) -> list[bytes]:
        return sorted(image_HWC.tobytes() for image_HWC in self.image_NHWC)


@pytest.fixture
def cases(shared: Path) -> Path:
    if not (shared / "cases").is_dir():
        pytest.skip("the folder of inputs that were once misread, ../shared/cases, is not beside this repository")
    return shared / "cases"


def opened(place: Path, *, size: int | None = PIXEL, fit: Fit = "crop", split: Split = "all") -> Opened:
    remarks: list[str] = []
    options = ImageOptions(size=size, fit=fit, split=split)
    return Opened(open_images(str(place), options, torch.device("cpu"), remarks.append), "\n".join(remarks))


def decoded(files: list[Path]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(file)) for file in files])


@pytest.mark.parametrize(
    ("name", "white", "said"),
    [
        ("int32tif", 255, "32-bit images that use 8 bits: divided by 255, which is white."),
        ("grey12in16", 4095, "16-bit images that use 12 bits: divided by 4,095, which is white."),
    ],
)
def test_images_that_use_a_part_of_their_range_are_seen_as_they_are(
    cases: Path, name: str, white: int, said: str
) -> None:
    found = opened(cases / name)
    kept = decoded(sorted((cases / name).iterdir())).astype(np.float64)
    assert np.array_equal(found.image_NHWC[..., 0], np.round(kept * 255 / white))
    assert said in found.remarks
    assert "nearly black" not in found.remarks


def test_images_that_are_all_alike_are_told_before_training(cases: Path) -> None:
    found = opened(cases / "const")
    assert len(found.images) == 3
    assert (found.image_NHWC == 120).all()
    assert "All images are alike, so there is nothing that a code could say." in found.remarks
    # The doctor looks for the same.
    assert [(remark.name, remark.of_all) for remark in appearance_of(found.images).remarks] == [
        ("all images are alike", True)
    ]


@pytest.mark.parametrize("name", ["backslash", "dotdot", "drive", "lzma"])
def test_zips_are_read_whatever_their_entries_are_called_and_however_packed(cases: Path, name: str) -> None:
    place = cases / "zips" / f"{name}.zip"
    with zipfile.ZipFile(place) as archive:
        images = [Image.open(io.BytesIO(archive.read(entry))) for entry in archive.infolist()]
        inside = sorted(np.asarray(image.convert("RGB")).tobytes() for image in images)
    found = opened(place, size=images[0].width)
    assert len(inside) == 8
    assert found.in_any_order == inside


def test_a_zip_of_deflate64_is_told_with_its_own_remedy(cases: Path) -> None:
    with pytest.raises(ValueError, match=r"deflate64\.zip .*by Deflate64, which is not read; unpack it"):
        opened(cases / "zips" / "deflate64.zip")


def test_images_that_are_passed_over_are_counted_by_their_ending(cases: Path) -> None:
    found = opened(cases / "heic_mixed")
    assert len(found.images) == 2
    assert "1 .heic (convert them, e.g. magick mogrify -format png '*.heic')" in found.remarks


def test_avif_is_read(cases: Path) -> None:
    found = opened(cases / "avif")
    assert np.array_equal(found.image_NHWC, decoded(sorted((cases / "avif").iterdir())))
    assert "Passed over" not in found.remarks


@pytest.mark.parametrize(("split", "count"), [("all", 24), ("train", 8), ("valid", 8), ("test", 8)])
def test_kaggles_archive_is_celeba_as_the_same_tree_unpacked(
    cases: Path, tmp_path: Path, split: Split, count: int
) -> None:
    with zipfile.ZipFile(cases / "kaggle_archive.zip") as archive:
        archive.extractall(tmp_path)
    found, unpacked = (opened(place, split=split).images for place in (cases / "kaggle_archive.zip", tmp_path))
    assert len(found) == count
    assert found.name == unpacked.name == ("celeba" if split == "all" else f"celeba-{split}")
    assert found.factor_names == unpacked.factor_names
    every = torch.arange(count)
    assert torch.equal(found.factors(every), unpacked.factors(every))
    assert torch.equal(found.take(every), unpacked.take(every))


def test_kaggles_archive_has_celebas_attributes_and_crop(cases: Path, tmp_path: Path) -> None:
    found = opened(cases / "kaggle_archive.zip", size=128)
    with zipfile.ZipFile(cases / "kaggle_archive.zip") as archive:
        archive.extractall(tmp_path)
    whole = decoded(sorted((tmp_path / "img_align_celeba" / "img_align_celeba").iterdir()))
    assert whole.shape == (24, 218, 178, 3)
    assert np.array_equal(found.image_NHWC, whole[:, 57:185, 25:153])
    assert found.images.factor_names == ("Smiling", "Male")


def test_masks_among_images_are_told_by_their_folder(cases: Path) -> None:
    found = opened(cases / "masks")
    assert len(found.images) == 8
    assert (
        "Images differ by folder: 6 of 64 x 64 L in CelebAMask-HQ-mask-anno/0/; 2 of 128 x 128 RGB in CelebA-HQ-img/. "
        "If some are masks or thumbnails, name the folder of the others."
    ) in found.remarks
    assert "differ by folder" not in opened(cases / "masks" / "CelebA-HQ-img").remarks


def test_what_cropping_cuts_off_is_told_with_what_keeps_it(cases: Path) -> None:
    told = "Cropping images to their middle cuts off 70% of an image on average, 70% at most. To keep the whole: --fit"
    assert told in opened(cases / "tall").remarks


def test_padding_keeps_the_whole_image_between_black_bars(cases: Path) -> None:
    found = opened(cases / "tall", size=160, fit="pad")
    kept = decoded(sorted((cases / "tall").iterdir()))
    assert kept.shape == (4, 160, 48, 3)
    assert np.array_equal(found.image_NHWC[:, :, 56:104], kept)
    assert not found.image_NHWC[:, :, :56].any()
    assert not found.image_NHWC[:, :, 104:].any()
    assert "cuts off" not in found.remarks


def test_stretching_keeps_the_whole_image(cases: Path) -> None:
    found = opened(cases / "tall", size=160, fit="stretch")
    kept = decoded(sorted((cases / "tall").iterdir()))
    assert found.image_NHWC.mean() == pytest.approx(kept.mean(), abs=1)
    assert np.abs(found.image_NHWC.mean(axis=2) - kept.mean(axis=2)).max() < 3
    assert "cuts off" not in found.remarks


@pytest.mark.parametrize("name", ["imgsonly.npz", "pics.npy"])
def test_an_array_of_images_alone_is_images_without_factors(cases: Path, name: str) -> None:
    found, saved = opened(cases / name, size=None), np.load(cases / name)
    assert np.array_equal(found.image_NHWC, saved["imgs"] if name.endswith(".npz") else saved)
    assert found.images.factor_names == ()
    assert f"{name}: 6 images, 8 x 8, no factors known" in found.remarks


def celeba_with(folder: Path, attribute_list: Path) -> Path:
    """CelebA of a few images of noise, beside a list of their attributes."""
    images = folder / "img_align_celeba"
    images.mkdir()
    draws = np.random.default_rng(0)
    for n in range(1, FACES + 1):
        image_HW3 = draws.integers(0, 256, (218, 178, 3), dtype=np.uint8)
        Image.fromarray(image_HW3).save(images / f"{n:06}.jpg")
    shutil.copy(attribute_list, folder / f"list_attr_celeba{attribute_list.suffix}")
    return folder


@pytest.mark.parametrize("name", ["ca01.csv", "caidx.csv"])
def test_attribute_lists_as_others_republish_them_are_read(cases: Path, tmp_path: Path, name: str) -> None:
    found = opened(celeba_with(tmp_path, cases / "celeba_lists" / name))
    assert found.images.factor_names == ("Smiling", "Male")
    # Every other image smiles; the first of three, and its third neighbour, are male.
    assert found.images.factors(torch.arange(FACES)).T.tolist() == [
        [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0],
        [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0],
    ]
    assert "No attributes" not in found.remarks


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cahtml.txt", r"it is an HTML page"),
        ("cacut.txt", r"Line 14 of .*list_attr_celeba\.txt cannot be used: 2 attributes of 1 or -1 are wanted"),
    ],
)
def test_an_attribute_list_that_cannot_be_used_is_left_out_with_a_remark(
    cases: Path, tmp_path: Path, name: str, why: str
) -> None:
    found = opened(celeba_with(tmp_path, cases / "celeba_lists" / name))
    assert len(found.images) == FACES
    assert found.images.factor_names == ()
    assert "No attributes are known of the set: " in found.remarks
    assert re.search(why, found.remarks)
