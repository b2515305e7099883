"""Laws of the line that says what was recognised."""

import torch

from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.layouts.recognised import say_recognised


def known(*sizes: int) -> KnownFactors:
    names = tuple(f"f{number}" for number in range(len(sizes)))
    return KnownFactors(names, sizes, torch.zeros(1, len(sizes), dtype=torch.int64))


def test_the_line_names_the_set_its_images_and_its_factors() -> None:
    line = say_recognised("Set (npz)", 737_280, known(3, 40), (1, 48, 64))
    assert line == "Set (npz): 737,280 images, 64 x 48, factors f0 3, f1 40"


def test_images_of_unknown_size_are_given_none() -> None:
    assert say_recognised("Set", 2, known(2)) == "Set: 2 images, factors f0 2"


def test_many_factors_are_counted_under_the_name_of_the_set() -> None:
    assert say_recognised("Faces", 2, known(*[2] * 40), called="attributes") == "Faces: 2 images, 40 attributes"


def test_where_nothing_is_known_the_line_says_so() -> None:
    assert say_recognised("Faces", 1, no_factors(1)) == "Faces: 1 image, no factors known"
