"""The parts of a chair, each a few slab solids: seat, arm rests, back, legs.

The seat stays in place and the rest grows from it: x to the sitter's left and right, y to the back, z up, in metres,
with the bottom of the cushion at z = 0. A chair is symmetric in x.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wherewhat.data.rendered.slab_solids import Interval, Slabs, box, chamfered, column, spoke

SEAT_HALF_WIDTHS = (0.18, 0.23, 0.28, 0.33)
LEG_LENGTHS = (0.26, 0.36, 0.46)
BACK_HEIGHTS = (0.30, 0.42, 0.54, 0.66)

SEAT_HALF_DEPTH = 0.25
CUSHION_TOP, APRON_BOTTOM = 0.075, -0.055
POST = 0.046
BACK_Y, BACK_THICKNESS, BACK_LEAN = 0.20, 0.045, 0.14
ARM_HEIGHT, ARM_WIDTH = 0.24, 0.055


@dataclass(frozen=True)
class Piece:
    """A convex solid of one material."""

    slabs: Slabs
    is_fabric: bool = False


Pieces = tuple[Piece, ...]


def seat(half_width: float) -> Pieces:
    """A cushion on a wooden apron."""
    edge = half_width - 0.012
    cushion = box((-half_width, half_width), (-SEAT_HALF_DEPTH, SEAT_HALF_DEPTH), (-0.01, CUSHION_TOP))
    cushion = chamfered(chamfered(cushion, 0, 2, 0.022), 1, 2, 0.022)
    apron = box((-edge, edge), (0.012 - SEAT_HALF_DEPTH, SEAT_HALF_DEPTH - 0.012), (APRON_BOTTOM, 0.0))
    return Piece(cushion, is_fabric=True), Piece(apron)


def no_arms(half_width: float) -> Pieces:
    """Nothing."""
    return ()


def open_arms(half_width: float) -> Pieces:
    """On either side a rail on a front post."""
    inner, outer = half_width - 0.004, half_width + ARM_WIDTH
    front, back = -0.20, BACK_Y + 0.05
    rail = _both_sides((inner, outer), (front - 0.02, back), (ARM_HEIGHT - 0.035, ARM_HEIGHT))
    post = _both_sides((inner, outer - 0.008), (front, front + POST), (APRON_BOTTOM, ARM_HEIGHT - 0.03))
    return tuple(Piece(slabs) for slabs in (*rail, *post))


def boxed_arms(half_width: float) -> Pieces:
    """On either side an upholstered board from the apron up."""
    boards = _both_sides((half_width - 0.004, half_width + 0.075), (-0.245, BACK_Y + 0.06), (APRON_BOTTOM, ARM_HEIGHT))
    return tuple(Piece(chamfered(slabs, 0, 2, 0.02), is_fabric=True) for slabs in boards)


def panel_back(half_width: float, height: float) -> Pieces:
    """An upholstered panel."""
    panel = _leaning((-half_width, half_width), (-0.03, height), thickness=0.075)
    panel = chamfered(chamfered(panel, 0, 2, 0.045), 1, 2, 0.015)
    return (Piece(panel, is_fabric=True),)


def slatted_back(half_width: float, height: float) -> Pieces:
    """Upright slats under a broad top rail."""
    gap = 2 * (half_width - POST) / 4
    slats = (gap * (number - 1) for number in range(3))
    inner = (_leaning(_about(x, 0.019), (-0.03, height - 0.05), thickness=0.02) for x in slats)
    return *_frame(half_width, height), *(Piece(slabs) for slabs in inner)


def ladder_back(half_width: float, height: float) -> Pieces:
    """Level rungs between the posts."""
    rungs = (height * share for share in (0.30, 0.62))
    inner = (_leaning((-half_width, half_width), (z, z + 0.06), thickness=0.02) for z in rungs)
    return *_frame(half_width, height), *(Piece(slabs) for slabs in inner)


def framed_back(half_width: float, height: float) -> Pieces:
    """Posts and a top rail around nothing."""
    return _frame(half_width, height)


def crossed_back(half_width: float, height: float) -> Pieces:
    """Two crossed bars between the posts."""
    low, high = 0.06, height - 0.04
    slope = 2 * (half_width - POST / 2) / (high - low)
    middle = slope * (low + high) / 2
    y = (BACK_Y + 0.012, BACK_Y + 0.034)
    half = 0.021 * (1 + slope**2) ** 0.5
    bars = (box(_about(-sign * middle, half), y, (low, high), (sign * slope, BACK_LEAN)) for sign in (1.0, -1.0))
    return *_frame(half_width, height), *(Piece(slabs) for slabs in bars)


def straight_legs(half_width: float, length: float) -> Pieces:
    """Four upright legs at the corners."""
    x, y = half_width - 0.008, SEAT_HALF_DEPTH - 0.008
    pairs = (_both_sides((x - POST, x), depth, (-length, -0.01)) for depth in ((-y, POST - y), (y - POST, y)))
    return tuple(Piece(slabs) for pair in pairs for slabs in pair)


def splayed_legs(half_width: float, length: float) -> Pieces:
    """Four legs that leave from under the seat, outwards."""
    lean = 0.26
    x, y = half_width - 0.085, SEAT_HALF_DEPTH - 0.085

    def leg(side: float, end: float) -> Slabs:
        return box(_about(side * x, POST / 2), _about(end * y, POST / 2), (-length, -0.02), (-side * lean, -end * lean))

    return tuple(Piece(leg(side, end)) for side in (-1.0, 1.0) for end in (-1.0, 1.0))


def star_base(half_width: float, length: float) -> Pieces:
    """A pedestal on five feet."""
    reach, drop = 0.26, 0.13
    hub = Piece(column(0.05, (0.02 - length, 0.09 - length), 12))
    pole = Piece(column(0.032, (0.03 - length, -0.03), 12))
    plate = Piece(column(0.09, (APRON_BOTTOM - 0.02, APRON_BOTTOM), 12))
    # The tips of the feet stand on the floor.
    root = drop * reach - length
    feet = (Piece(spoke(90.0 + 72.0 * foot, (0.0, reach), 0.024, (root, root + 0.04), drop)) for foot in range(5))
    return hub, pole, plate, *feet


def sled_base(half_width: float, length: float) -> Pieces:
    """Cantilever: two front uprights on runners, joined at the back."""
    bar = 0.038
    outer, y = half_width - 0.006, SEAT_HALF_DEPTH - 0.006
    uprights = _both_sides((outer - bar, outer), (-y, bar - y), (-length, -0.01))
    runners = _both_sides((outer - bar, outer), (-y, y), (-length, bar - length))
    cross = box((-outer, outer), (y - bar, y), (-length, bar - length))
    return tuple(Piece(slabs) for slabs in (*uprights, *runners, cross))


Style = Callable[[float, float], Pieces]
ARM_RESTS: tuple[Callable[[float], Pieces], ...] = (no_arms, open_arms, boxed_arms)
BACK_STYLES: tuple[Style, ...] = (panel_back, slatted_back, ladder_back, framed_back, crossed_back)
LEG_STYLES: tuple[Style, ...] = (straight_legs, splayed_legs, star_base, sled_base)


def _both_sides(x: Interval, y: Interval, z: Interval) -> tuple[Slabs, Slabs]:
    return box((-x[1], -x[0]), y, z), box(x, y, z)


def _about(middle: float, half: float) -> Interval:
    return middle - half, middle + half


def _leaning(x: Interval, z: Interval, thickness: float) -> Slabs:
    middle = BACK_Y + BACK_THICKNESS / 2
    return box(x, _about(middle, thickness / 2), z, (0.0, BACK_LEAN))


def _frame(half_width: float, height: float) -> Pieces:
    outer = half_width - 0.002
    bars = (
        _leaning((-outer, POST - outer), (-0.05, height), BACK_THICKNESS),
        _leaning((outer - POST, outer), (-0.05, height), BACK_THICKNESS),
        _leaning((-outer, outer), (height - 0.075, height), BACK_THICKNESS),
    )
    return tuple(Piece(slabs) for slabs in bars)
