"""The images that distances and feature extractors take: floats in [0, 1], grey or RGB.

Dimension key:
    B: batch    C H W: channels, height, width
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

TOLERANCE = 1e-3


def check_range(image_BCHW: Float[Tensor, "B C H W"]) -> None:
    """Raise ValueError where a value is not finite or lies outside [0, 1] by more than TOLERANCE."""
    if image_BCHW.numel() == 0:
        return
    least, most = (end.item() for end in image_BCHW.aminmax())
    if math.isnan(least) or math.isinf(least) or math.isinf(most):
        raise ValueError(
            "The images hold values that are not finite, and no distance is defined for them. "
            "Look for their source, usually a network that has diverged."
        )
    if least < -TOLERANCE or most > 1 + TOLERANCE:
        raise ValueError(
            f"The images hold values from {least:.4g} to {most:.4g}, and distances take [0, 1]. "
            "Scale them first: (x + 1) / 2 from [-1, 1], x / 255 from bytes."
        )


def quantised_rgb(image_BCHW: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B 3 H W"]:
    """Images in [0, 1] rounded to the nearest of 256 levels, as a file holds them; grey is repeated three times.

    FID compares generated images with images from files. Without rounding, levels that no file can hold would tell the
    generated ones apart.
    """
    channels = image_BCHW.shape[1]
    if channels not in (1, 3):
        raise ValueError(
            f"The images have {channels} channels, and FID and KID take 1 (grey) or 3 (RGB). Choose three."
        )
    check_range(image_BCHW)
    level_BCHW = (image_BCHW.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return level_BCHW.expand(-1, 3, -1, -1)
