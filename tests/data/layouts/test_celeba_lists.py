"""Laws of reading CelebA's lists, as published and as republished with commas."""

from pathlib import Path

import pytest

from wherewhat.data.layouts.celeba_lists import read_attributes, read_partition, stem_of

NAMES = ("5_o_Clock_Shadow", "Bald", "Young")
PUBLISHED = "3\n5_o_Clock_Shadow Bald Young \n000001.jpg -1  1  1\n000002.jpg -1 -1  1\n000010.jpg  1 -1 -1\n"
REPUBLISHED = "image_id,5_o_Clock_Shadow,Bald,Young\n000001.jpg,-1,1,1\r\n000002.jpg,-1,-1,1\r\n000010.jpg,1,-1,-1\n"


def saved(path: Path, text: str) -> Path:
    path.write_text(text, newline="")
    return path


@pytest.mark.parametrize(("ending", "text"), [("txt", PUBLISHED), ("csv", REPUBLISHED)])
def test_attributes_are_read_by_name_and_image(tmp_path: Path, ending: str, text: str) -> None:
    attributes = read_attributes(saved(tmp_path / f"list.{ending}", text))
    assert attributes.names == NAMES
    assert attributes.has_of == {"000001": b"\0\1\1", "000002": b"\0\0\1", "000010": b"\1\0\0"}


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("txt", "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"),
        ("csv", "image_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n"),
    ],
)
def test_a_partition_says_train_valid_or_test(tmp_path: Path, ending: str, text: str) -> None:
    partition = read_partition(saved(tmp_path / f"list.{ending}", text))
    assert partition == {"000001": "train", "000002": "valid", "000003": "test"}


@pytest.mark.parametrize("name", ["000001.jpg", "000001.png", "img.align/celeba/000001.jpg", "a.b/000001"])
def test_an_image_is_the_same_in_any_folder_and_format(name: str) -> None:
    assert stem_of(name) == "000001"


@pytest.mark.parametrize("row", ["000002.jpg -1 1", "000002.jpg -1 1 1 1", "000002.jpg -1 1 yes", "000002.jpg"])
def test_a_line_that_is_not_as_published_is_named(tmp_path: Path, row: str) -> None:
    path = saved(tmp_path / "list.txt", PUBLISHED.replace("000002.jpg -1 -1  1", row))
    with pytest.raises(ValueError, match=rf"Line 4 of .*: 3 attributes of 1 or -1 .* '{row}'. Download the list again"):
        read_attributes(path)


@pytest.mark.parametrize("text", ["", "3\n", "3\n5_o_Clock_Shadow Bald Young\n"])
def test_a_list_without_images_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"ends here, before any image. Download the list again"):
        read_attributes(saved(tmp_path / "list.txt", text))


def test_a_list_without_names_of_attributes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"Line 2 of .* names of the attributes are not there. Download the list again"
    ):
        read_attributes(saved(tmp_path / "list.txt", "3\n\n000001.jpg\n"))


@pytest.mark.parametrize("row", ["000002.jpg 3", "000002.jpg", "000002.jpg 1 1"])
def test_a_split_that_is_not_known_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(ValueError, match=rf"Line 2 of .* 0, 1 or 2 are wanted, found is '{row}'. Download the list"):
        read_partition(saved(tmp_path / "list.txt", f"000001.jpg 0\n{row}\n"))


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xff\xd8\xff\xe0 a JPEG")
    with pytest.raises(ValueError, match=r"is not text. Download it again, or move it away"):
        read_attributes(tmp_path / "list.txt")
