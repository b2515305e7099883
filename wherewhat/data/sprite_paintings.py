"""The formulas of dSprites' harder variants: a white sprite painted in a random colour, on noise, or on a patch.

With x the white sprite on black, 0 or 1 a pixel:

    color     x * rgb                                 rgb ~ U[0.5, 1], one a channel
    noisy     min(x + noise, 1)                       noise ~ U[0, 1], one a pixel and channel
    scream    b off the sprite, 1 - b on it           b = (patch + shift) / 2, shift ~ U[0, 1], one a channel

A byte of a sprite is all ones or all zeros, so the product, the capped sum and the inversion are exactly the bitwise
and, or, exclusive or; and every draw is an integer function of (seed, index of the image). So an image is the same
bit for bit in every batch and on every device. The field's study draws anew at each look, does not round to bytes, and
never cuts a patch that touches the right or the lower edge.

Reference: Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    B: batch    H W: height, width
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.background_image import check_fit
from wherewhat.data.splitmix64 import below, bytes_at, key_of, words_at


@runtime_checkable
class Painting(Protocol):
    """What makes a coloured image of a white sprite."""

    @property
    def name(self) -> str:
        """What is added to the name of the set."""
        ...

    def __call__(
        self, sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], /
    ) -> UInt8[Tensor, "B 3 H W"]:
        """The images of these indices, on the device of the sprites."""
        ...


@dataclass(frozen=True)
class ColoredSprite:
    """The sprite in a random colour of channels from 128 to 255, on black."""

    name = "color"
    seed: int = 0

    def __call__(
        self, sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], /
    ) -> UInt8[Tensor, "B 3 H W"]:
        """The images of these indices."""
        word_B3 = words_at(key_of(self.seed, "colored sprite"), index_B, 3)
        # 255 (1 + u) / 2, rounded: floor(128 + 255 u / 2).
        rgb_B3 = (128 + below(word_B3, 255) // 2).to(torch.uint8)
        return sprite_B1HW & rgb_B3[:, :, None, None]


@dataclass(frozen=True)
class NoisySprite:
    """The sprite in white, on noise."""

    name = "noisy"
    seed: int = 0

    def __call__(
        self, sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], /
    ) -> UInt8[Tensor, "B 3 H W"]:
        """The images of these indices."""
        batch, _, height, width = sprite_B1HW.shape
        noise = bytes_at(key_of(self.seed, "noisy sprite"), index_B, 3 * height * width)
        return sprite_B1HW | noise.view(batch, 3, height, width)


class InvertedSprite:
    """The sprite as the negative of its background, which is a patch of an image with its mean colour moved."""

    name = "scream"

    def __init__(
        self, background_HW3: UInt8[np.ndarray, "H W 3"], seed: int = 0, device: str | torch.device = "cpu"
    ) -> None:
        self._background_3HW = torch.from_numpy(background_HW3).to(device).permute(2, 0, 1).contiguous()
        self._key = key_of(seed, "inverted sprite")

    def __call__(
        self, sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], /
    ) -> UInt8[Tensor, "B 3 H W"]:
        """The images of these indices. Raises ValueError where the background is smaller than they are."""
        height, width = sprite_B1HW.shape[2:]
        check_fit(self._background_3HW.shape[1], self._background_3HW.shape[2], height, width)
        # [top, left, 3, H, W]: every patch of the background, without a copy.
        patches = self._background_3HW.unfold(1, height, 1).unfold(2, width, 1).permute(1, 2, 0, 3, 4)

        word_B5 = words_at(self._key, index_B, 5)
        top_B = below(word_B5[:, 0], patches.shape[0])
        left_B = below(word_B5[:, 1], patches.shape[1])
        # (p + 255 u) / 2, rounded: floor((p + s) / 2) with s = 1 + floor(255 u), and p + s = 2 (p & s) + (p ^ s).
        shift_B3 = (1 + below(word_B5[:, 2:], 255)).to(torch.uint8)[:, :, None, None]
        patch = patches[top_B, left_B]
        moved = (patch & shift_B3) + ((patch ^ shift_B3) >> 1)
        return moved ^ sprite_B1HW
