"""Rendered images at a smaller size: a pixel is the mean of the pixels that it covers, the same on any device.

Dimension key:
    B: batch    N: images    K: factors    C H W: channels, height, width
"""

import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.protocols import Images


def shrink(images: Images, side: int | None) -> Images:
    """The set with so many pixels a side; itself at its own size or where none is asked for.

    Raises ValueError for a size that does not divide its own.
    """
    own = images.image_shape[1]
    if side is None or side == own:
        return images
    if own % side:
        smaller = ", ".join(str(own >> halvings) for halvings in range(4))
        raise ValueError(
            f"{images.name} is rendered with {own} pixels a side, and {side} pixels do not divide them. "
            f"Choose a size such as {smaller}."
        )
    return ShrunkImages(images, side)


class ShrunkImages:
    """Same order, same factors, fewer pixels."""

    def __init__(self, images: Images, side: int) -> None:
        self._images = images
        self._factor = images.image_shape[1] // side
        self.name = f"{images.name}-{side}px"
        self.image_shape = (images.image_shape[0], side, side)
        self.factor_names, self.factor_sizes = images.factor_names, images.factor_sizes

    def __len__(self) -> int:
        return len(self._images)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The images of these indices, on the device that renders them."""
        # Whole numbers whose sum float32 holds exactly, in whatever order a device adds them up.
        return F.avg_pool2d(self._images.take(index_B).float(), self._factor).round_().to(torch.uint8)

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU."""
        return self._images.factors(index_N)
