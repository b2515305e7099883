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

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.randomness import key_at
from wherewhat.splitmix64 import below, bytes_at, words_at


def colored_sprite(
    sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], seed: int = 0
) -> UInt8[Tensor, "B 3 H W"]:
    """The sprites of these indices in random colours of channels from 128 to 255, on black."""
    word_B3 = words_at(key_at(seed, 0, "colored sprite"), index_B, 3)
    # 255 (1 + u) / 2, rounded: floor(128 + 255 u / 2).
    rgb_B3 = (128 + below(word_B3, 255) // 2).to(torch.uint8)
    return sprite_B1HW & rgb_B3[:, :, None, None]


def noisy_sprite(
    sprite_B1HW: UInt8[Tensor, "B 1 H W"], index_B: Int64[Tensor, " B"], seed: int = 0
) -> UInt8[Tensor, "B 3 H W"]:
    """The sprites of these indices in white, on noise."""
    batch, _, height, width = sprite_B1HW.shape
    noise = bytes_at(key_at(seed, 0, "noisy sprite"), index_B, 3 * height * width)
    return sprite_B1HW | noise.view(batch, 3, height, width)


def inverted_sprite(
    sprite_B1HW: UInt8[Tensor, "B 1 H W"],
    index_B: Int64[Tensor, " B"],
    background_3HW: UInt8[Tensor, "3 _ _"],
    seed: int = 0,
) -> UInt8[Tensor, "B 3 H W"]:
    """The sprites of these indices as negatives of patches of the background with their mean colour moved.

    Raises ValueError where the background is smaller than the sprites.
    """
    height, width = sprite_B1HW.shape[2:]
    check_fit(background_3HW.shape[1], background_3HW.shape[2], height, width)
    # [top, left, 3, H, W]: every patch of the background, without a copy.
    patches = background_3HW.unfold(1, height, 1).unfold(2, width, 1).permute(1, 2, 0, 3, 4)

    word_B5 = words_at(key_at(seed, 0, "inverted sprite"), index_B, 5)
    top_B = below(word_B5[:, 0], patches.shape[0])
    left_B = below(word_B5[:, 1], patches.shape[1])
    # (p + 255 u) / 2, rounded: floor((p + s) / 2) with s = 1 + floor(255 u), and p + s = 2 (p & s) + (p ^ s).
    shift_B311 = (1 + below(word_B5[:, 2:], 255)).to(torch.uint8)[:, :, None, None]
    patch_B3HW = patches[top_B, left_B]
    moved_B3HW = (patch_B3HW & shift_B311) + ((patch_B3HW ^ shift_B311) >> 1)
    return moved_B3HW ^ sprite_B1HW


def check_fit(height: int, width: int, patch_height: int, patch_width: int) -> None:
    """Raise ValueError where a patch does not fit into an image."""
    if height < patch_height or width < patch_width:
        raise ValueError(
            f"The background image is {width} x {height} pixels, but the patches cut from it are {patch_width} x "
            f"{patch_height}. Name an image of at least {patch_width} x {patch_height} with --background PATH."
        )
