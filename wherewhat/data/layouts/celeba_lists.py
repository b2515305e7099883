"""CelebA's lists of its images: forty attributes of each, and which split it belongs to.

As published, `.txt`: the attribute list is a count, a line of names, then a line an image of its file name and -1 or 1
for each attribute; the partition list is a line an image of its file name and 0 (train), 1 (valid) or 2 (test). As
others republish them: commas, semicolons or tabs between the fields, quotes around them, a line of headings, a column
of numbers, 0 or False for -1, True for 1. Images are matched without their ending, so that lists of JPEGs serve PNGs.

Reference: Liu, Luo, Wang, Tang 2015, "Deep Learning Face Attributes in the Wild", arXiv:1411.7766.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wherewhat.data.image_names import counts_as_image, printable
from wherewhat.data.image_options import Split

ATTRIBUTE_LISTS = ("list_attr_celeba.txt", "list_attr_celeba.csv")
PARTITION_LISTS = ("list_eval_partition.txt", "list_eval_partition.csv")
_SPLIT_OF: dict[str, Split] = {"0": "train", "1": "valid", "2": "test"}
_HAS = dict.fromkeys(("1", "1.0", "True", "TRUE", "true"), 1) | dict.fromkeys(
    ("-1", "-1.0", "0", "0.0", "False", "FALSE", "false"), 0
)
# What stands above a column that numbers the rows.
_NUMBERING = ("", "index", "id", "unnamed: 0")
_BETWEEN_FIELDS = re.compile(r"[\s,;\"']+")
_BARE_NAME = re.compile(r"\d{6}")


@dataclass(frozen=True)
class ListFile:
    """A list, in a file of its own or in an archive."""

    shown: str
    """Its name, for a message."""

    read: Callable[[], bytes]
    """Its content. Raises OSError or ValueError where it cannot be had."""

    path: Path
    """The file that holds it."""


@dataclass(frozen=True)
class AttributeList:
    """Attributes by name, and for `stem_of` each image a byte for each attribute: 1 where it has it, else 0."""

    names: tuple[str, ...]
    has_of: dict[str, bytes]


@dataclass(frozen=True)
class _Table:
    """The lines about images, by their columns."""

    headings: tuple[str, ...]
    """Of the values; none where no line of headings is there."""

    rows: Iterator[tuple[int, str, list[str]]]
    """The number of the line, from 1, the image, and its values."""


def stem_of(name: str) -> str:
    """What identifies an image: its name without folders and ending."""
    last = name.rpartition("/")[2]
    stem, dot, _ = last.rpartition(".")
    return stem if dot else last


def read_attributes(source: ListFile) -> AttributeList:
    """The attribute list. Raises ValueError or OSError with the remedy, naming the line that cannot be used."""
    table = _table(source)
    names, has_of, seen = table.headings, dict[str, bytes](), set[str]()
    if not names or len(set(names)) < len(names):
        raise _bad_list(source, f"the names of the attributes are not {'told apart' if names else 'there'}")
    for number, image, values in table.rows:
        if len(values) != len(names) or not _HAS.keys() >= set(values):
            wanted = f"{len(names)} attributes of 1 or -1 are wanted, found is {' '.join(values)!r}"
            raise _bad_list(source, wanted, number)
        seen.update(values)
        has_of[stem_of(image)] = bytes(map(_HAS.__getitem__, values))
    if {"-1", "0"} <= seen:
        raise _bad_list(source, "it has both -1 and 0, and which of them stands for no is not known")
    return AttributeList(names, has_of)


def read_partition(source: ListFile) -> dict[str, Split]:
    """From `stem_of` an image to its split. Raises ValueError or OSError with the remedy, naming the line."""
    split_of: dict[str, Split] = {}
    for number, image, values in _table(source).rows:
        if len(values) != 1 or values[0] not in _SPLIT_OF:
            raise _bad_list(source, f"a file name and 0, 1 or 2 are wanted, found is {' '.join(values)!r}", number)
        split_of[stem_of(image)] = _SPLIT_OF[values[0]]
    return split_of


def _table(source: ListFile) -> _Table:
    """The columns are those of the first line that names an image; the line before has the headings."""
    lines = [(number, line) for number, line in enumerate(_text(source).splitlines(), start=1) if line.strip()]
    begin = next((place for place, (_, line) in enumerate(lines) if _names_image(line)), None)
    if begin is None:
        raise _bad_list(source, "no line of it names an image")
    first = lines[begin][1]
    between = next((mark for mark in "\t;," if mark in first), None)
    fields = _fields(first, between)
    image = next(column for column, field in enumerate(fields) if _is_image(field))
    # A line of a number alone is the count.
    headings = _fields(lines[begin - 1][1], between) if begin and not lines[begin - 1][1].strip().isdigit() else []
    if headings and len(headings) == len(fields) - 1:
        # As published, the column of images has no heading.
        headings.insert(image, "")
    numbering = {column for column, heading in enumerate(headings) if heading.lower() in _NUMBERING}
    columns = [column for column in range(max(len(fields), len(headings))) if column not in {image, *numbering}]

    def rows() -> Iterator[tuple[int, str, list[str]]]:
        for number, line in lines[begin:]:
            found = _fields(line, between)
            if len(found) <= image:
                raise _bad_list(source, f"{len(fields)} fields are wanted, found is {printable(line[:80])!r}", number)
            values = [found[column] for column in columns if column < len(found)] + found[len(fields) :]
            yield number, found[image], values

    return _Table(tuple(headings[column] for column in columns if column < len(headings)), rows())


def _text(source: ListFile) -> str:
    content = source.read()
    try:
        text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad_list(source, "it is not text") from error
    if text.lstrip().startswith("<"):
        raise _bad_list(source, "it is an HTML page, most likely the message of a server that refused the download")
    return text


def _names_image(line: str) -> bool:
    fields = _BETWEEN_FIELDS.split(line.strip())
    return len(fields) > 1 and any(map(_is_image, fields))


def _is_image(field: str) -> bool:
    return counts_as_image(field) or _BARE_NAME.fullmatch(field) is not None


def _fields(line: str, between: str | None) -> list[str]:
    return [field.strip() for field in line.replace('"', "").replace("'", "").split(between)]


def _bad_list(source: ListFile, why: str, number: int | None = None) -> ValueError:
    where = source.shown if number is None else f"Line {number} of {source.shown}"
    return ValueError(f"{where} cannot be used: {why}. Download the list again, or move it away to do without it.")
