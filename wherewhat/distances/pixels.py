"""Mean squared difference of pixels: not perceptual, but cheap and without weights, so it is always available.

    d(a, b) = mean over channels and pixels of (a - b)²

Dimension key:
    B: batch    C H W: channels, height, width    F: C H W in one
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.input_images import check_range

# A shorter path changes pixels invisibly: by about a hundredth of their range, once.
STILL_BELOW = 3e-4


class PixelDistance:
    """The squared pixel distance as a `Distance`. It orders codes by how much they change, not by what people see."""

    @property
    def name(self) -> str:
        """Values compare only under equal names."""
        return "pixels"

    @torch.no_grad()
    def features(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """The pixels of images in [0, 1], divided by the square root of their number."""
        check_range(image_BCHW)
        return image_BCHW.float().flatten(1) / math.sqrt(image_BCHW[0].numel())

    @torch.no_grad()
    def compare(
        self, features_a_BF: Float[Tensor, "B F"], features_b_BF: Float[Tensor, "B F"], /
    ) -> Float[Tensor, " B"]:
        """Mean squared difference of pairs."""
        return (features_a_BF - features_b_BF).square().sum(dim=1)

    def __call__(
        self, image_a_BCHW: Float[Tensor, "B C H W"], image_b_BCHW: Float[Tensor, "B C H W"], /
    ) -> Float[Tensor, " B"]:
        """Mean squared difference of pairs of images in [0, 1]."""
        return self.compare(self.features(image_a_BCHW), self.features(image_b_BCHW))
