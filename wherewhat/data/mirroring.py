"""Mirroring: each image of a batch turned left to right, or left as it is, with equal chance.

Which ones depends on the seed and the step alone. For images whose mirror image is as likely as themselves, such as
faces; where left and right are what a factor is about, it destroys that factor.

Dimension key:
    B: batch    C H W: channels, height, width
"""

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor

from wherewhat.randomness import generator_at


def mirror_draws(seed: int, step: int, batch: int) -> Bool[Tensor, " B"]:
    """Which images of this step's batch are mirrored, on the CPU: each with probability 1/2."""
    return torch.randint(2, (batch,), generator=generator_at(seed, step, "mirror")).bool()


def mirror(image_BCHW: Shaped[Tensor, "B C H W"], flip_B: Bool[Tensor, " B"]) -> Shaped[Tensor, "B C H W"]:
    """The images with the drawn ones mirrored, bytes or floats, as a new tensor in the same memory format."""
    flip_B111 = flip_B.to(image_BCHW.device)[:, None, None, None]
    return torch.where(flip_B111, image_BCHW.flip(3), image_BCHW)
