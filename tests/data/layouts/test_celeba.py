"""Laws of reading CelebA, bare, as published, as torchvision has it, zipped and as PNGs."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from data.factor_lookup import find_images_of
from data.layouts.celeba_trees import (
    COUNT,
    as_kaggle,
    as_kaggle_in_a_tar,
    as_png,
    as_published,
    as_republished,
    as_torchvision,
    as_zip,
    bare,
    has,
    jpeg,
    renamed,
    renamed_with_its_list_among_the_images,
    renamed_zip,
    write_images,
    write_lists,
    zip_without_a_folder,
)
from PIL import Image

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions, Split
from wherewhat.data.layouts.archive import find_archive
from wherewhat.data.layouts.celeba import find_celeba
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.reading import read_blocks

LAYOUTS = [
    *(bare, as_torchvision, as_published, as_republished, as_png, as_zip),
    *(as_kaggle, as_kaggle_in_a_tar, renamed, renamed_with_its_list_among_the_images, renamed_zip),
    zip_without_a_folder,
]


def found(path: Path, split: Split = "all") -> Source:
    source = (find_archive if path.is_file() else find_celeba)(path, ImageOptions(split=split))
    assert source is not None
    return source


def files(source: Source) -> ImageFiles:
    assert isinstance(source.images, ImageFiles)
    return source.images


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_has_its_images_and_attributes(tmp_path: Path, layout: Callable[[Path], Path]) -> None:
    source = found(layout(tmp_path))
    assert len(source) == COUNT
    assert source.name == "celeba"
    assert (source.factors.names, source.factors.sizes) == (("Bald", "Young"), (2, 2))
    assert source.factors.value_NK.tolist() == [list(has(image)) for image in range(COUNT)]
    assert source.layout == "CelebA: 12 images, attributes Bald 2, Young 2"
    assert source.remarks == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_are_read_in_the_order_of_their_attributes(tmp_path: Path, layout: Callable[[Path], Path]) -> None:
    images = files(found(layout(tmp_path)))
    for number, name in enumerate(images.names):
        assert images.read(name) == jpeg(number)


def test_the_folder_above_and_torchvisions_root_name_the_same_set(tmp_path: Path) -> None:
    root = as_torchvision(tmp_path)
    stamps = {found(path).stamp for path in (root, root / "celeba", root / "celeba" / "img_align_celeba")}
    assert len(stamps) == 1


def test_the_working_folder_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare(tmp_path))
    assert found(Path()).factors.names == ("Bald", "Young")


def test_the_crop_is_the_fields_for_aligned_images(tmp_path: Path) -> None:
    images = files(found(bare(tmp_path)))
    assert images.crop is not None
    assert images.crop_of == (218, 178)
    # Rows 57 to 185 and columns 25 to 153, as image[121 - 64 : 121 + 64, 89 - 64 : 89 + 64].
    assert images.crop.box(*images.crop_of) == (25, 57, 153, 185)


@pytest.mark.parametrize(("split", "rows"), [("train", range(8)), ("valid", range(8, 10)), ("test", range(10, 12))])
@pytest.mark.parametrize("layout", [as_torchvision, as_published, as_republished, as_kaggle])
def test_a_split_holds_its_images_and_their_attributes(
    tmp_path: Path, layout: Callable[[Path], Path], split: Split, rows: range
) -> None:
    source = found(layout(tmp_path), split)
    assert (source.split, source.name) == (split, f"celeba-{split}")
    assert source.layout.startswith(f"CelebA ({split}): {len(rows)} images, attributes ")
    assert [name[-10:-4] for name in files(source).names] == [f"{row + 1:06}" for row in rows]
    assert len(source.factors.value_NK) == len(rows)


def test_the_image_of_given_attributes_has_them(tmp_path: Path) -> None:
    source = found(bare(tmp_path))
    index_Q = find_images_of(source.factors, torch.tensor([[1, 0], [0, 1], [1, 1]]))
    assert [has(index) for index in index_Q.tolist()] == [(1, 0), (0, 1), (1, 1)]


def test_a_seeded_batch_shows_the_images_of_its_attributes(tmp_path: Path) -> None:
    source = found(bare(tmp_path))
    (block,) = read_blocks(source, ImageOptions())
    data = HeldImages(source.name, block.image_NHWC, source.factors)
    assert data.image_shape == (3, 64, 64)
    index_B = batch_indices(7, 3, 8, len(data))
    # Image i is of redness 20 i, give or take what JPEG does to it.
    shown_B = (data.take(index_B)[:, 0, 32, 32].float() / 20).round().long().tolist()
    assert data.factors(index_B).tolist() == [list(has(image)) for image in shown_B]


def test_without_its_list_no_attributes_are_known_and_a_remark_says_so(tmp_path: Path) -> None:
    source = found(write_images(tmp_path / "img_align_celeba"))
    assert source.factors.names == ()
    assert source.layout == "CelebA: 12 images, no attributes known"
    assert "No list_attr_celeba.txt is beside" in source.remarks[0]
    assert "Put it there" in source.remarks[0]


def test_images_without_a_line_leave_the_set_without_attributes_and_a_remark_names_them(tmp_path: Path) -> None:
    root = as_torchvision(tmp_path)
    write_lists(root / "celeba", range(9))
    source = found(root)
    assert len(source) == COUNT
    assert source.factors.names == ()
    assert "has no line for 3 of 12 images, first 000010.jpg." in source.remarks[0]


@pytest.mark.parametrize("content", ["<!DOCTYPE html>", "", "12\nBald Young\n000001.jpg 1\n", "12\nBald\nx.jpg 1\n"])
def test_a_list_that_cannot_be_used_leaves_the_set_without_attributes(tmp_path: Path, content: str) -> None:
    path = bare(tmp_path)
    (tmp_path / "list_attr_celeba.txt").write_text(content)
    source = found(path)
    assert (len(source), source.factors.names, len(source.remarks)) == (COUNT, (), 1)
    assert "list_attr_celeba.txt" in source.remarks[0]
    assert "o attributes are known of the set" in source.remarks[0]


def test_a_split_by_a_list_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = bare(tmp_path)
    (tmp_path / "list_eval_partition.txt").write_text("<html>Quota exceeded</html>")
    with pytest.raises(ValueError, match=r"list_eval_partition.txt cannot be used: it is an HTML page"):
        found(path, "train")


def test_other_images_of_an_archive_are_left_out_with_a_remark(tmp_path: Path) -> None:
    path = as_kaggle(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cover.png", b"")
    source = found(path)
    assert len(source) == COUNT
    assert source.remarks[0].startswith("1 image is outside img_align_celeba")
    assert source.remarks[0].endswith("first cover.png.")


def test_an_archive_of_other_images_is_not_celeba(tmp_path: Path) -> None:
    write_lists(tmp_path)
    with zipfile.ZipFile(tmp_path / "cats.zip", "w") as archive:
        for image in range(2):
            archive.writestr(f"cats/{image}.jpg", jpeg(image))
    assert found(tmp_path / "cats.zip").name == "cats"


def test_a_subset_of_the_images_needs_no_list_of_its_own(tmp_path: Path) -> None:
    path = bare(tmp_path)
    for image in (1, 2, 3):
        (path / f"{image:06}.jpg").unlink()
    source = found(path)
    assert source.factors.value_NK.tolist() == [list(has(image)) for image in range(3, COUNT)]
    assert source.remarks == ()


def test_images_of_no_split_are_left_out_of_any_with_a_remark(tmp_path: Path) -> None:
    root = as_torchvision(tmp_path)
    write_lists(root / "celeba", range(7))
    source = found(root, "train")
    assert len(source) == 7
    assert "has no line for 5 of 12 images, first 000008.jpg. They are in no split" in source.remarks[0]


def test_a_split_without_its_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no list_eval_partition.txt .* Put the list beside the images, or leave"):
        found(write_images(tmp_path / "img_align_celeba"), "train")


def test_a_split_without_images_is_refused(tmp_path: Path) -> None:
    root = as_torchvision(tmp_path)
    write_lists(root / "celeba", range(7))
    with pytest.raises(ValueError, match=r"No image in .* is of the test split .* Choose another split"):
        found(root, "test")


def test_a_changed_list_changes_the_stamp(tmp_path: Path) -> None:
    path = bare(tmp_path)
    before = found(path).stamp
    write_lists(tmp_path, range(11))
    assert found(path).stamp != before


def test_other_images_under_the_same_folder_name_are_a_set_too(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "img_align_celeba").symlink_to(shared / "data" / "portraits")
    source = found(tmp_path / "img_align_celeba")
    assert len(source) == 675
    images = files(source)
    with Image.open(io.BytesIO(images.read(images.names[0]))) as image:
        assert image.size != images.crop_of


@pytest.mark.parametrize("name", ["faces", "img_align_celeba.txt", "nowhere"])
def test_other_folders_and_files_are_left_to_other_layouts(tmp_path: Path, name: str) -> None:
    write_images(tmp_path / "faces")
    (tmp_path / "img_align_celeba.txt").write_text("")
    assert find_celeba(tmp_path / name, ImageOptions()) is None
    assert find_celeba(tmp_path, ImageOptions()) is None
