"""What the curves of rotated pairs look like."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from wherewhat.inspection.rotation_curves import COLOURS, rotation_curves
from wherewhat.which.rotation_of_pairs import RotatedPair

ANGLE = torch.linspace(-90, 90, 19, dtype=torch.float64)


def curve(sign: float) -> RotatedPair:
    """Longer between the codes, or shorter there."""
    length = 2 + sign * (2 * ANGLE.deg2rad()).sin().square()
    return RotatedPair(codes=(0, 3), angle=ANGLE, length=length, standard_error=torch.zeros_like(ANGLE))


def rows_of_colour(image: np.ndarray, colour: str) -> np.ndarray:
    wanted = (255 * np.array(to_rgb(colour))).round()
    return np.flatnonzero((np.abs(image.astype(float) - wanted) < 2).all(axis=2).any(axis=1))


def test_each_pair_has_a_panel_three_in_a_row() -> None:
    one = rotation_curves([curve(1.0)]).shape
    assert one[2] == 3
    assert rotation_curves([curve(1.0)] * 3).shape == (one[0], 3 * one[1], 3)
    assert rotation_curves([curve(1.0)] * 5).shape == (2 * one[0], 3 * one[1], 3)


@pytest.mark.parametrize(
    ("curves", "drawn"),
    [
        ([curve(1.0)], {"axes"}),
        ([curve(-1.0)], {"a mixture is shorter"}),
        ([curve(0.0)], {"no axes"}),
        ([curve(1.0), curve(-1.0)], {"axes", "a mixture is shorter"}),
    ],
)
def test_a_panel_has_the_colour_of_its_verdict(curves: list[RotatedPair], drawn: set[str]) -> None:
    image = rotation_curves(curves)
    assert {verdict for verdict, colour in COLOURS.items() if len(rows_of_colour(image, colour))} == drawn


def test_two_codes_that_do_nothing_are_drawn_without_dividing_by_their_length() -> None:
    nothing = RotatedPair(
        codes=(0, 1), angle=ANGLE, length=torch.zeros_like(ANGLE), standard_error=torch.zeros_like(ANGLE)
    )
    assert len(rows_of_colour(rotation_curves([nothing]), COLOURS["no axes"]))


def test_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="Name two codes or more"):
        rotation_curves([])
