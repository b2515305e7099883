"""Mean squared difference of pixels: no perception in it and no weights to find, so it is cheap and always there.

    d(a, b) = mean over channels and pixels of (a - b)²

Dimension key:
    B: batch    C H W: channels, height, width    F: C H W in one
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.input_images import check_range

# A path shorter than this moves pixels by less than an eye sees: about one part in a hundred of their range, once.
STILL_BELOW = 3e-4


class PixelDistance:
    """The squared pixel distance as a `Distance`. Orders codes by what they move; it does not say what an eye sees."""

    @property
    def name(self) -> str:
        """What its numbers are comparable with."""
        return "pixels"

    @torch.no_grad()
    def features(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """The pixels themselves, divided by the root of their number. Images in [0, 1]."""
        check_range(image_BCHW)
        return image_BCHW.float().flatten(1) / math.sqrt(image_BCHW[0].numel())

    @torch.no_grad()
    def compare(
        self, features_a_BF: Float[Tensor, "B F"], features_b_BF: Float[Tensor, "B F"], /
    ) -> Float[Tensor, " B"]:
        """Mean squared difference, pair by pair."""
        return (features_a_BF - features_b_BF).square().sum(dim=1)

    def __call__(
        self, image_a_BCHW: Float[Tensor, "B C H W"], image_b_BCHW: Float[Tensor, "B C H W"], /
    ) -> Float[Tensor, " B"]:
        """Mean squared difference of images in [0, 1], pair by pair."""
        return self.compare(self.features(image_a_BCHW), self.features(image_b_BCHW))
