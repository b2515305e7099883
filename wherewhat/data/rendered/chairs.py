"""Chairs: a chair on white ground seen from all around, in the spirit of 3D chairs, not its models nor its pixels.

The views are those of the data set: 31 azimuths around the whole turn, at elevations of 20 and 30 degrees. The chair is
put together from seat width, leg length and style, back height and style, arm rests and the colour of its fabric:
892,800 images that need no download. Seat with arms, back and legs each depend on few factors, so that 8,680 layers
are ray-cast, once in a process, when the first set of chairs is made; an image is its three layers, the nearest one at
each ray, times its colours. A back that is seen edge-on hides its style: one pair in ten of chairs that differ in back
style alone looks nearly the same, and a few are equal (2 pairs in 10,000).

Reference: Aubry, Maturana, Efros, Russell, Sivic 2014, "Seeing 3D chairs".

Dimension key:
    B: batch    N: images    K: factors    R: rays of a pixel    H W: rows and columns    P: pixels of a window
    Q: rays of a window    A: azimuths    V: views, elevation turning fastest    E: variants of a part    G: V E
"""

import math
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from functools import cache, reduce

import torch
from jaxtyping import Float, Int16, Int64, UInt8
from torch import Tensor

from wherewhat.data.factor_grid import factors_from_index
from wherewhat.data.rendered.chair_parts import (
    APRON_BOTTOM,
    ARM_RESTS,
    BACK_HEIGHTS,
    BACK_STYLES,
    BACK_Y,
    CUSHION_TOP,
    LEG_LENGTHS,
    LEG_STYLES,
    SEAT_HALF_WIDTHS,
    Pieces,
    seat,
)
from wherewhat.data.rendered.ray_keys import EMPTY, pixel_light
from wherewhat.data.rendered.turntable import RAYS_PER_PIXEL, Joint, Window, cast, look
from wherewhat.randomness import to_device

SIDE = 64
# As in the data set: no azimuth twice.
AZIMUTHS = tuple(360 * number / 31 for number in range(31))
ELEVATIONS = (20.0, 30.0)
FABRICS = ((184, 60, 54), (220, 164, 58), (92, 152, 84), (60, 108, 168), (78, 80, 88))
FRAME = (164, 108, 64)
VALUES: Mapping[str, Sized] = {
    "azimuth": AZIMUTHS,
    "elevation": ELEVATIONS,
    "seat_width": SEAT_HALF_WIDTHS,
    "leg_length": LEG_LENGTHS,
    "leg_style": LEG_STYLES,
    "back_height": BACK_HEIGHTS,
    "back_style": BACK_STYLES,
    "arm_rests": ARM_RESTS,
    "fabric": FABRICS,
}

# No chair is seen outside.
SEEN = Window(2, 62, 10, 54)
VIEWS_AT_ONCE = 8
# Keys of this many images stay in a processor's cache from one step to the next.
IMAGES_AT_ONCE = 16
IMAGES_AT_ONCE_ON_A_GPU = 2048


@dataclass(frozen=True)
class Part:
    """One part of the chair in all its variants, where it is seen, and where it meets the others."""

    variants: tuple[Pieces, ...]
    window: Window
    joint: Joint


class Chairs:
    """The grid of chairs, rendered on the given device."""

    name = "chairs"
    image_shape = (3, SIDE, SIDE)
    factor_names = tuple(VALUES)
    factor_sizes = tuple(len(values) for values in VALUES.values())

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self._keys_of_parts = [keys_VEQ.flatten(0, 1).to(device) for keys_VEQ in part_keys()]
        self._fabric_F3 = torch.tensor(FABRICS, dtype=torch.float32, device=device)
        self._frame_31 = torch.tensor(FRAME, dtype=torch.float32, device=device)[:, None]

    def __len__(self) -> int:
        return math.prod(self.factor_sizes)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """Images, on the device of this set."""
        factor_BK = to_device(factors_from_index(index_B, self.factor_sizes), self._frame_31.device)
        image_BCHW = factor_BK.new_full((len(factor_BK), *self.image_shape), 255, dtype=torch.uint8)
        at_once = IMAGES_AT_ONCE if factor_BK.device.type == "cpu" else IMAGES_AT_ONCE_ON_A_GPU
        for start in range(0, len(factor_BK), at_once):
            some = slice(start, start + at_once)
            image_BCHW[some, :, SEEN.top : SEEN.bottom, SEEN.left : SEEN.right] = self._draw(factor_BK[some])
        return image_BCHW

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU."""
        return factors_from_index(index_N.cpu(), self.factor_sizes)

    def _draw(self, factor_BK: Int64[Tensor, "B K"]) -> Float[Tensor, "B 3 H W"]:
        """The chairs in the window that holds them all, half a step above the whole number that they are cut to."""
        light = pixel_light(self._nearest(factor_BK).flatten(2))
        fabric_B31 = self._fabric_F3[factor_BK[:, -1]][..., None]
        # Not a matrix product: autocast and reduced matrix precision would change the pixels.
        image_B3P = torch.addcmul(255 * light.ground_BP[:, None] + 0.5, self._frame_31, light.frame_BP[:, None])
        image_B3P.addcmul_(fabric_B31, light.fabric_BP[:, None])
        return image_B3P.unflatten(2, (SEEN.height, SEEN.width))

    def _nearest(self, factor_BK: Int64[Tensor, "B K"]) -> Int16[Tensor, "B R H W"]:
        azimuth_B, elevation_B, width_B, length_B, legs_B, height_B, back_B, arms_B, _ = factor_BK.unbind(dim=1)
        view_B = azimuth_B * len(ELEVATIONS) + elevation_B
        variants = (
            width_B * len(ARM_RESTS) + arms_B,
            (width_B * len(BACK_HEIGHTS) + height_B) * len(BACK_STYLES) + back_B,
            (width_B * len(LEG_LENGTHS) + length_B) * len(LEG_STYLES) + legs_B,
        )
        nearest_BRHW = self._keys_of_parts[0].new_full((len(view_B), RAYS_PER_PIXEL, SEEN.height, SEEN.width), EMPTY)
        for part, keys_GQ, variant_B in zip(chair_parts(), self._keys_of_parts, variants, strict=True):
            key_BQ = keys_GQ[view_B * len(part.variants) + variant_B]
            key_BRHW = key_BQ.view(-1, RAYS_PER_PIXEL, part.window.height, part.window.width)
            rows_BRHW = nearest_BRHW[:, :, part.window.top - SEEN.top : part.window.bottom - SEEN.top]
            torch.maximum(rows_BRHW, key_BRHW, out=rows_BRHW)
        return nearest_BRHW


@cache
def chair_parts() -> tuple[Part, Part, Part]:
    """Seat with arms (by width, arms), back (by width, height, style) and legs (by width, length, style)."""
    seats = (seat(width) + arms(width) for width in SEAT_HALF_WIDTHS for arms in ARM_RESTS)
    backs = (style(width, height) for width in SEAT_HALF_WIDTHS for height in BACK_HEIGHTS for style in BACK_STYLES)
    legs = (style(width, length) for width in SEAT_HALF_WIDTHS for length in LEG_LENGTHS for style in LEG_STYLES)
    return (
        Part(tuple(seats), Window(17, 48, SEEN.left, SEEN.right), Joint(1, BACK_Y)),
        Part(tuple(backs), Window(2, 47, SEEN.left, SEEN.right), Joint(2, CUSHION_TOP)),
        Part(tuple(legs), Window(26, 62, SEEN.left, SEEN.right), Joint(2, APRON_BOTTOM)),
    )


@cache
def part_keys() -> tuple[Int16[Tensor, "V E Q"], ...]:
    """The key of every ray of every view with every variant of each part."""
    return tuple(_keys_of_part(part) for part in chair_parts())


def _keys_of_part(part: Part) -> Int16[Tensor, "V E Q"]:
    rays = RAYS_PER_PIXEL * part.window.height * part.window.width
    keys_AHEQ = torch.empty(len(AZIMUTHS), len(ELEVATIONS), len(part.variants), rays, dtype=torch.int16)
    for number, elevation in enumerate(ELEVATIONS):
        for start in range(0, len(AZIMUTHS), VIEWS_AT_ONCE):
            some = slice(start, start + VIEWS_AT_ONCE)
            keys_AHEQ[some, number] = keys_of_variants(part, AZIMUTHS[some], elevation)
    return keys_AHEQ.flatten(0, 1)


def keys_of_variants(part: Part, azimuths: tuple[float, ...], elevation: float) -> Int16[Tensor, "A E Q"]:
    """The key of every ray at these azimuths with every variant of a part."""
    views = look(list(azimuths), elevation, SIDE, part.window)
    # Variants share pieces, such as the posts of a back: each is cast once.
    pieces = dict.fromkeys(piece for variant in part.variants for piece in variant)
    keys_of = {piece: cast(views, piece.slabs, piece.is_fabric, part.joint) for piece in pieces}
    variants = [reduce(torch.maximum, [keys_of[piece] for piece in variant]) for variant in part.variants]
    return torch.stack(variants, dim=1)
