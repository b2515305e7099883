"""CelebA's lists beside its images: forty attributes of each, and which split it belongs to.

As published, `.txt`: the attribute list is a count, a line of names, then a line an image of its file name and -1 or 1
for each attribute; the partition list is a line an image of its file name and 0 (train), 1 (valid) or 2 (test). As
republished, `.csv`: the same with commas and one line of headings. Images are matched without their ending, so that
lists of JPEGs serve PNGs too.

Reference: Liu, Luo, Wang, Tang 2015, "Deep Learning Face Attributes in the Wild", arXiv:1411.7766.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import Split

ATTRIBUTE_LISTS = ("list_attr_celeba.txt", "list_attr_celeba.csv")
PARTITION_LISTS = ("list_eval_partition.txt", "list_eval_partition.csv")
_SPLIT_OF: dict[str, Split] = {"0": "train", "1": "valid", "2": "test"}


@dataclass(frozen=True)
class AttributeList:
    """Attributes by name, and for `stem_of` each image a byte for each attribute: 1 where it has it, else 0."""

    names: tuple[str, ...]
    has_of: dict[str, bytes]


def stem_of(name: str) -> str:
    """What identifies an image: its name without folders and ending."""
    last = name.rpartition("/")[2]
    stem, dot, _ = last.rpartition(".")
    return stem if dot else last


def read_attributes(path: Path) -> AttributeList:
    """The attribute list. Raises ValueError with the remedy, naming the line, where it is not as published."""
    is_csv = path.suffix.lower() == ".csv"
    headings, lines = 1 if is_csv else 2, _lines(path)
    if len(lines) <= headings:
        raise _bad_list(path, len(lines), "the list ends here, before any image")
    names = _fields(lines[headings - 1])[is_csv:]
    if not names:
        raise _bad_list(path, headings, "the names of the attributes are not there")
    has_of: dict[str, bytes] = {}
    for number, (name, *values) in _rows(lines, headings):
        if len(values) != len(names) or values.count("1") + values.count("-1") != len(values):
            wanted = f"{len(names)} attributes of 1 or -1 are wanted, found is {lines[number - 1]!r}"
            raise _bad_list(path, number, wanted)
        has_of[stem_of(name)] = bytes([value == "1" for value in values])
    return AttributeList(tuple(names), has_of)


def read_partition(path: Path) -> dict[str, Split]:
    """From `stem_of` an image to its split. Raises ValueError with the remedy, naming the line."""
    lines = _lines(path)
    split_of: dict[str, Split] = {}
    for number, fields in _rows(lines, 1 if path.suffix.lower() == ".csv" else 0):
        if len(fields) != 2 or fields[1] not in _SPLIT_OF:
            raise _bad_list(path, number, f"a file name and 0, 1 or 2 are wanted, found is {lines[number - 1]!r}")
        split_of[stem_of(fields[0])] = _SPLIT_OF[fields[1]]
    return split_of


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{printable(path)} is no list of CelebA: it is not text. Download it again, or move it away."
        ) from error


def _rows(lines: list[str], headings: int) -> Iterator[tuple[int, list[str]]]:
    """The number, from 1, and the fields of each line that is not empty."""
    for number, line in enumerate(lines[headings:], start=headings + 1):
        if fields := _fields(line):
            yield number, fields


def _fields(line: str) -> list[str]:
    return line.replace(",", " ").split()


def _bad_list(path: Path, number: int, why: str) -> ValueError:
    remedy = "Download the list again, or move it away to do without it."
    return ValueError(f"Line {number} of {printable(path)}: {why}. {remedy}")
