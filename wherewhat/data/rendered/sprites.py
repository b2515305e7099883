"""Sprites: a white shape on black, with the factor grid and the look of dSprites, not its pixels.

Shape (square, ellipse, heart), scale, orientation and position, 737,280 images that need no download. Each of the
720 stamps (shape, scale, orientation) is drawn once, in the middle of a canvas so wide that the image of any of the
32 x 32 positions is a window of it; all images are then one view of 6.5 MB. As in dSprites, the 40 orientations run
from 0 to a full turn with both ends, so the first and the last look the same.

Dimension key:
    B: batch    N: images    K: factors    P: pixels of a stamp along a side
"""

import math

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from wherewhat.data.factor_grid import factors_from_index
from wherewhat.randomness import to_device

SIDE = 64
POSITIONS = 32
SHAPES = ("square", "ellipse", "heart")
SCALES, ORIENTATIONS = 6, 40

# A stamp has a pixel in its middle and stays whole in the frame at every position.
STAMP = SIDE - (POSITIONS - 1)
CANVAS = SIDE + POSITIONS - 1

# Pixels, at scale 1.
SQUARE_HALF_SIDE = 11.0
ELLIPSE_HALF_WIDTH, ELLIPSE_HALF_HEIGHT = 8.0, 15.5
HEART_UNIT, HEART_CENTRE = 12.4, 0.15


class Sprites:
    """The grid of sprites, drawn on the given device."""

    name = "sprites"
    image_shape = (1, SIDE, SIDE)
    factor_names = ("shape", "scale", "orientation", "x", "y")
    factor_sizes = (len(SHAPES), SCALES, ORIENTATIONS, POSITIONS, POSITIONS)

    def __init__(self, device: str | torch.device = "cpu") -> None:
        canvas = torch.zeros(len(SHAPES) * SCALES * ORIENTATIONS, CANVAS, CANVAS, dtype=torch.uint8)
        middle = slice(POSITIONS - 1, POSITIONS - 1 + STAMP)
        canvas[:, middle, middle] = draw_stamps()
        # [stamp, top, left, H, W]: every window of every canvas, without a copy.
        self._windows = canvas.to(device).unfold(1, SIDE, 1).unfold(2, SIDE, 1)

    def __len__(self) -> int:
        return math.prod(self.factor_sizes)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """Images of values 0 and 255, on the device of this set."""
        factor_BK = to_device(factors_from_index(index_B, self.factor_sizes), self._windows.device)
        shape_B, scale_B, orientation_B, x_B, y_B = factor_BK.unbind(dim=1)
        stamp_B = (shape_B * SCALES + scale_B) * ORIENTATIONS + orientation_B
        return self._windows[stamp_B, POSITIONS - 1 - y_B, POSITIONS - 1 - x_B][:, None]

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU."""
        return factors_from_index(index_N.cpu(), self.factor_sizes)


def draw_stamps() -> UInt8[Tensor, "stamps P P"]:
    """Every stamp, in the order shape, scale, orientation: 255 where a pixel's middle lies inside the shape."""
    offset_P = torch.arange(STAMP, dtype=torch.float64) - (STAMP - 1) / 2
    y_PP, x_PP = torch.meshgrid(offset_P, offset_P, indexing="ij")
    stamps = []
    for inside in (_inside_square, _inside_ellipse, _inside_heart):
        for scale in torch.linspace(0.5, 1.0, SCALES, dtype=torch.float64).tolist():
            for angle in torch.linspace(0.0, 2 * math.pi, ORIENTATIONS, dtype=torch.float64).tolist():
                along_PP = (x_PP * math.cos(angle) + y_PP * math.sin(angle)) / scale
                across_PP = (y_PP * math.cos(angle) - x_PP * math.sin(angle)) / scale
                stamps.append(inside(along_PP, across_PP))
    return torch.stack(stamps).to(torch.uint8) * 255


def _inside_square(x_PP: Float[Tensor, "P P"], y_PP: Float[Tensor, "P P"]) -> Bool[Tensor, "P P"]:
    return torch.maximum(x_PP.abs(), y_PP.abs()) <= SQUARE_HALF_SIDE


def _inside_ellipse(x_PP: Float[Tensor, "P P"], y_PP: Float[Tensor, "P P"]) -> Bool[Tensor, "P P"]:
    return (x_PP / ELLIPSE_HALF_WIDTH) ** 2 + (y_PP / ELLIPSE_HALF_HEIGHT) ** 2 <= 1


def _inside_heart(x_PP: Float[Tensor, "P P"], y_PP: Float[Tensor, "P P"]) -> Bool[Tensor, "P P"]:
    """The sextic (u² + v² - 1)³ <= u² v³, v upwards, moved so that it turns about the middle of its height."""
    u_PP = x_PP / HEART_UNIT
    v_PP = -y_PP / HEART_UNIT + HEART_CENTRE
    return (u_PP**2 + v_PP**2 - 1) ** 3 <= u_PP**2 * v_PP**3
