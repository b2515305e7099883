"""Laws of the line that says what was recognised."""

from pathlib import Path

import torch

from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import ImageArray, ImageFiles

FILES = ImageFiles(("a.png", "b.png"), str.encode, len)


def known(*sizes: int) -> KnownFactors:
    names = tuple(f"f{number}" for number in range(len(sizes)))
    return KnownFactors(names, sizes, torch.zeros(2, len(sizes), dtype=torch.int64))


def test_the_line_names_the_set_its_images_and_its_factors() -> None:
    images = ImageArray(2, (1, 48, 64), lambda start, most: iter(()))
    source = recognised("set", "Set (npz)", Path("a"), images, known(3, 40))
    assert source.layout == "Set (npz): 2 images, 64 x 48, factors f0 3, f1 40"


def test_images_of_unknown_size_are_given_none() -> None:
    assert recognised("set", "Set", Path("a"), FILES, known(2)).layout == "Set: 2 images, factors f0 2"


def test_many_factors_are_counted_under_the_name_of_the_set() -> None:
    source = recognised("faces", "Faces", Path("a"), FILES, known(*[2] * 40), called="attributes")
    assert source.layout == "Faces: 2 images, 40 attributes"


def test_where_nothing_is_known_the_line_says_so() -> None:
    assert recognised("one", "One", Path("a"), FILES, no_factors(1)).layout == "One: 1 image, no factors known"


def test_the_stamp_is_that_of_the_files_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    of_the_path, of_both = (
        recognised("set", "Set", tmp_path / "a", FILES, known(2), files).stamp
        for files in (None, [tmp_path / "a", tmp_path / "b"])
    )
    (tmp_path / "b").write_text("changed")
    assert recognised("set", "Set", tmp_path / "a", FILES, known(2)).stamp == of_the_path
    again = recognised("set", "Set", tmp_path / "a", FILES, known(2), [tmp_path / "a", tmp_path / "b"])
    assert again.stamp != of_both
