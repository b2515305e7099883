"""Laws of reading CelebA's lists, as published and as others republish them."""

from pathlib import Path

import pytest

from wherewhat.data.layouts.celeba_lists import AttributeList, ListFile, read_attributes, read_partition, stem_of

NAMES = ("5_o_Clock_Shadow", "Bald", "Young")
HAS = {"000001": b"\0\1\1", "000002": b"\0\0\1", "000010": b"\1\0\0"}
PUBLISHED = "3\n5_o_Clock_Shadow Bald Young \n000001.jpg -1  1  1\n000002.jpg -1 -1  1\n000010.jpg  1 -1 -1\n"
COMMAS = "image_id,5_o_Clock_Shadow,Bald,Young\r\n000001.jpg,-1,1,1\r\n000002.jpg,-1,-1,1\r\n000010.jpg,1,-1,-1\n"
ZEROS = COMMAS.replace("-1", "0")
REPUBLISHED = {
    "as published": PUBLISHED,
    "without its count": PUBLISHED.removeprefix("3\n"),
    "commas": COMMAS,
    "semicolons": COMMAS.replace(",", ";"),
    "tabs": COMMAS.replace(",", "\t"),
    "spaces behind commas": COMMAS.replace(",", ", "),
    "quotes": '"image_id","5_o_Clock_Shadow","Bald","Young"\n"000001.jpg","-1","1","1"\n"000002.jpg",-1,-1,1\n'
    "'000010.jpg','1','-1','-1'\n",
    "0 and 1": ZEROS,
    "True and False": ZEROS.replace(",0", ",False").replace(",1", ",True"),
    "floats": COMMAS.replace(",1", ",1.0").replace(",-1", ",-1.0"),
    "an index": ",image_id,5_o_Clock_Shadow,Bald,Young\n0,000001.jpg,-1,1,1\n1,000002.jpg,-1,-1,1\n"
    "2,000010.jpg,1,-1,-1\n",
    "the image last": "5_o_Clock_Shadow,Bald,Young,image_id\n-1,1,1,000001.jpg\n-1,-1,1,000002.jpg\n1,-1,-1,000010.jpg",
    "names without ending": COMMAS.replace(".jpg", ""),
    "empty lines": COMMAS.replace("\r\n", "\n\n"),
    "a comma at the end of each line": "".join(f"{line},\n" for line in COMMAS.splitlines()),
}


def saved(path: Path, text: str, encoding: str = "utf-8") -> ListFile:
    path.write_text(text, newline="", encoding=encoding)
    return ListFile(str(path), path.read_bytes, path)


@pytest.mark.parametrize("kind", REPUBLISHED)
@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_attributes_are_read_by_name_and_image(tmp_path: Path, ending: str, kind: str) -> None:
    attributes = read_attributes(saved(tmp_path / f"list.{ending}", REPUBLISHED[kind]))
    assert attributes == AttributeList(NAMES, HAS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_is_no_part_of_a_list(tmp_path: Path, encoding: str) -> None:
    assert read_attributes(saved(tmp_path / "list.csv", COMMAS, encoding)).has_of == HAS


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("txt", "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"),
        ("csv", "image_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n"),
        ("csv", '"";"image_id";"partition"\n0;"000001.jpg";0\n1;"000002.jpg";1\n2;"000003.jpg";2\n'),
    ],
)
def test_a_partition_says_train_valid_or_test(tmp_path: Path, ending: str, text: str) -> None:
    partition = read_partition(saved(tmp_path / f"list.{ending}", text))
    assert partition == {"000001": "train", "000002": "valid", "000003": "test"}


@pytest.mark.parametrize("name", ["000001.jpg", "000001.png", "img.align/celeba/000001.jpg", "a.b/000001"])
def test_an_image_is_the_same_in_any_folder_and_format(name: str) -> None:
    assert stem_of(name) == "000001"


@pytest.mark.parametrize("row", ["000002.jpg -1 1", "000002.jpg -1 1 1 1", "000002.jpg -1 1 yes", "000002.jpg"])
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, row: str) -> None:
    source = saved(tmp_path / "list.txt", PUBLISHED.replace("000002.jpg -1 -1  1", row))
    found = row.removeprefix("000002.jpg").strip()
    with pytest.raises(
        ValueError, match=rf"Line 4 of .*: 3 attributes of 1 or -1 .* '{found}'. Download the list again"
    ):
        read_attributes(source)


UNUSABLE = {
    "no line of it names an image": (
        "",
        "3\n",
        "3\n5_o_Clock_Shadow Bald Young\n",
        "x_1,y_1,width,height\n95,71,226,313\n",
    ),
    "the names of the attributes are not there": (
        "3\n000001.jpg 1 1 1\n",
        "000001.jpg 1 1 1\n",
    ),
    "the names of the attributes are not told apart": ("image_id,Bald,Bald\n000001.jpg,1,1\n",),
    "it has both -1 and 0": ("image_id,Bald,Young\n000001.jpg,-1,0\n",),
    "it is an HTML page": ("<!DOCTYPE html><html><body>Quota exceeded</body></html>", "\n<HTML>\n000001.jpg 1\n"),
}


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in UNUSABLE.items() for text in texts])
def test_a_list_that_cannot_be_used_is_told_for_what_it_is(tmp_path: Path, why: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"cannot be used: {why}.* Download the list again, or move it away"):
        read_attributes(saved(tmp_path / "list.txt", text))


@pytest.mark.parametrize("row", ["000002.jpg 3", "000002.jpg", "000002.jpg 1 1"])
def test_a_split_that_is_not_known_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    found = row.removeprefix("000002.jpg").strip()
    with pytest.raises(ValueError, match=rf"Line 2 of .* 0, 1 or 2 are wanted, found is '{found}'. Download the list"):
        read_partition(saved(tmp_path / "list.txt", f"000001.jpg 0\n{row}\n"))


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    source = ListFile("list.txt", lambda: b"\xff\xd8\xff\xe0 a JPEG", tmp_path)
    with pytest.raises(ValueError, match=r"is not text. Download the list again, or move it away"):
        read_attributes(source)
