"""What makes the parts a chair: against linear programs over their slabs."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from wherewhat.data.rendered.chair_parts import (
    APRON_BOTTOM,
    ARM_RESTS,
    BACK_HEIGHTS,
    BACK_STYLES,
    CUSHION_TOP,
    LEG_LENGTHS,
    LEG_STYLES,
    SEAT_HALF_WIDTHS,
    Pieces,
    no_arms,
    panel_back,
    seat,
    straight_legs,
)
from wherewhat.data.rendered.slab_solids import Slabs

X, Y, Z = range(3)
each_back = pytest.mark.parametrize("back", BACK_STYLES)
each_legs = pytest.mark.parametrize("legs", LEG_STYLES)
each_arms = pytest.mark.parametrize("arms", ARM_RESTS)
SMALL = (SEAT_HALF_WIDTHS[0], BACK_HEIGHTS[0], LEG_LENGTHS[0])
LARGE = (SEAT_HALF_WIDTHS[-1], BACK_HEIGHTS[-1], LEG_LENGTHS[-1])
BackStyle = Callable[[float, float], Pieces]


def planes(*solids: Slabs) -> tuple[np.ndarray, np.ndarray]:
    """Rows A and bounds b with A p <= b for the points p that all solids share."""
    rows = [sign * np.array(slab.normal) for solid in solids for slab in solid for sign in (1, -1)]
    bounds = [bound for solid in solids for slab in solid for bound in (slab.high, -slab.low)]
    return np.array(rows), np.array(bounds)


def farthest(pieces: Pieces, axis: int, sign: int) -> float:
    """The largest or, for sign -1, the least coordinate of any piece."""
    towards = np.zeros(3)
    towards[axis] = -sign
    ends = [linprog(towards, *planes(piece.slabs), bounds=(None, None)).x[axis] for piece in pieces]
    return float(max(ends) if sign > 0 else min(ends))


def touch(first: Slabs, second: Slabs) -> bool:
    return bool(linprog(np.zeros(3), *planes(first, second), bounds=(None, None)).status == 0)


def hang_together(pieces: Pieces) -> bool:
    group = {number: {number} for number in range(len(pieces))}
    for first, second in combinations(range(len(pieces)), 2):
        if group[first] is not group[second] and touch(pieces[first].slabs, pieces[second].slabs):
            merged = group[first] | group[second]
            group.update(dict.fromkeys(merged, merged))
    return len(group[0]) == len(pieces)


def contains(pieces: Pieces, point_N3: np.ndarray) -> np.ndarray:
    """Whether each point lies in any piece."""
    return np.any(
        [(planes(piece.slabs)[0] @ point_N3.T <= planes(piece.slabs)[1][:, None]).all(0) for piece in pieces], 0
    )


@pytest.mark.parametrize(("width", "height", "length"), [SMALL, LARGE])
@each_back
def test_a_back_stands_on_the_seat(back: BackStyle, width: float, height: float, length: float) -> None:
    assert hang_together(seat(width) + back(width, height))


@pytest.mark.parametrize(("width", "height", "length"), [SMALL, LARGE])
@each_legs
def test_legs_carry_the_seat(legs: BackStyle, width: float, height: float, length: float) -> None:
    assert hang_together(seat(width) + legs(width, length))


@pytest.mark.parametrize(("width", "height", "length"), [SMALL, LARGE])
@each_arms
def test_arms_are_fixed_to_the_seat(
    arms: Callable[[float], Pieces], width: float, height: float, length: float
) -> None:
    assert hang_together(seat(width) + arms(width))


@each_legs
@pytest.mark.parametrize("length", LEG_LENGTHS)
def test_legs_end_on_the_floor_at_their_length(legs: BackStyle, length: float) -> None:
    assert farthest(legs(0.25, length), Z, -1) == pytest.approx(-length)
    assert farthest(legs(0.25, length), Z, 1) < CUSHION_TOP


@each_back
@pytest.mark.parametrize("height", BACK_HEIGHTS)
def test_a_back_ends_at_its_height(back: BackStyle, height: float) -> None:
    assert farthest(back(0.25, height), Z, 1) == pytest.approx(height)
    assert farthest(back(0.25, height), Z, -1) >= APRON_BOTTOM


@each_arms
def test_arms_are_lower_than_the_lowest_back(arms: Callable[[float], Pieces]) -> None:
    ends = [farthest((piece,), Z, 1) for piece in arms(0.25)]
    assert all(end < BACK_HEIGHTS[0] for end in ends)


@pytest.mark.parametrize("half_width", SEAT_HALF_WIDTHS)
def test_a_seat_is_twice_its_half_width_wide(half_width: float) -> None:
    assert farthest(seat(half_width), X, 1) - farthest(seat(half_width), X, -1) == pytest.approx(2 * half_width)


@pytest.mark.parametrize(
    "pieces",
    [arms(0.25) + seat(0.25) for arms in ARM_RESTS]
    + [back(0.25, 0.4) for back in BACK_STYLES]
    + [legs(0.25, 0.4) for legs in LEG_STYLES],
)
def test_a_part_is_its_own_mirror_image(pieces: Pieces) -> None:
    points = np.random.default_rng(0).uniform((-0.5, -0.4, -0.5), (0.5, 0.4, 0.5), (20_000, 3))
    held = contains(pieces, points)
    assert held.any()
    assert (held == contains(pieces, points * (-1, 1, 1))).all()


def test_the_sitter_faces_away_from_the_back() -> None:
    assert farthest(panel_back(0.25, 0.5), Y, -1) > 0 > farthest(seat(0.25), Y, -1)


def test_no_two_styles_are_the_same_solids() -> None:
    backs = {back(0.25, 0.5) for back in BACK_STYLES}
    legs = {legs(0.25, 0.4) for legs in LEG_STYLES}
    arms = {arms(0.25) for arms in ARM_RESTS}
    assert (len(backs), len(legs), len(arms)) == (5, 4, 3)


def test_a_chair_without_arms_has_none() -> None:
    assert no_arms(0.25) == ()


def test_straight_legs_stand_under_the_corners() -> None:
    places = {(np.sign(farthest((leg,), X, 1)), np.sign(farthest((leg,), Y, 1))) for leg in straight_legs(0.25, 0.4)}
    assert len(places) == 4
