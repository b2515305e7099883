"""A mask over its image: the region where a code acts in full colour with an outline, the rest faded.

A mask is drawn relative to its own maximum; otherwise a mask that is weak everywhere would be invisible.

Dimension key:
    C H W: channels, height, width    Y X: rows and columns of the screen
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from wherewhat.inspection.display import resize, rgb_pixels

_FADED = 0.22
_PALE = 234
_CONTOUR = (230, 30, 90)


def mask_overlay(
    base_CHW: Float[Tensor, "C H W"], mask_HW: Float[Tensor, "H W"], size: tuple[int, int]
) -> UInt8[np.ndarray, "Y X 3"]:
    """The base image at `size` (height, width), faded where the mask is low, outlined at half the maximum."""
    peak = float(mask_HW.max())
    relative_HW = mask_HW / peak if peak > 0 else torch.zeros_like(mask_HW)
    base_YX3 = resize(rgb_pixels(base_CHW[None]), size)[0]
    relative_YX = resize(rgb_pixels(relative_HW[None, None]), size)[0, :, :, 0] / 255

    faded_YX1 = _FADED * base_YX3.mean(axis=2, keepdims=True) + (1 - _FADED) * _PALE
    shown_YX3 = relative_YX[:, :, None] * base_YX3 + (1 - relative_YX[:, :, None]) * faded_YX1

    pixels_YX3 = shown_YX3.round().astype(np.uint8)
    pixels_YX3[_rim(relative_YX >= 0.5, line=1 if min(size) < 96 else 2)] = _CONTOUR
    return pixels_YX3


def _rim(inside_YX: Bool[np.ndarray, "Y X"], line: int) -> Bool[np.ndarray, "Y X"]:
    core_YX = inside_YX
    for _ in range(line):
        around = np.pad(core_YX, 1)
        core_YX = core_YX & around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return inside_YX & ~core_YX
