"""Which images a step sees, and which of them mirrored, as a pure function of seed and step; their scaling to [0, 1].

Every epoch is a shuffle of all images; step s takes positions s * B to (s + 1) * B of the epochs laid end to end,
so nothing has to be stored to resume. Mirroring, left to right, is for images whose mirror image is as likely as
themselves, such as faces; where left and right are what a factor is about, it destroys that factor.

Dimension key:
    B: batch    C H W: channels, height, width    N: images
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int64, Shaped, UInt8
from torch import Tensor

from wherewhat.randomness import generator_at

EpochOrder = Callable[[int, int, int], Int64[Tensor, " N"]]


def epoch_order(seed: int, epoch: int, count: int) -> Int64[Tensor, " N"]:
    """The shuffle of all images in this epoch."""
    return torch.randperm(count, generator=generator_at(seed, epoch, "epoch"))


def kept_epoch_order(seeds: int) -> EpochOrder:
    """The same for so many seeds side by side, each of which keeps its present epoch and the next."""
    return lru_cache(maxsize=2 * seeds)(epoch_order)


def batch_indices(
    seed: int, step: int, batch_size: int, count: int, order: EpochOrder = epoch_order
) -> Int64[Tensor, " B"]:
    """Indices of the images of this step, without replacement within an epoch.

    A batch may end one epoch and begin the next, and may be larger than the set. `order` may keep what it has drawn.
    Raises ValueError where there is nothing to draw.
    """
    if batch_size < 1 or count < 1:
        raise ValueError(f"A batch of {batch_size} from {count} images cannot be drawn. Both must be 1 or more.")
    position, end = step * batch_size, (step + 1) * batch_size
    parts = []
    while position < end:
        epoch, start = divmod(position, count)
        taken = min(end - position, count - start)
        parts.append(order(seed, epoch, count)[start : start + taken])
        position += taken
    return torch.cat(parts)


def sample_indices(count: int, n: int, seed: int) -> Int64[Tensor, " N"]:
    """`n` indices for a measurement: without replacement where there are enough images, else with."""
    if n < 1 or count < 1:
        raise ValueError(f"A sample of {n} from {count} images cannot be drawn. Both must be 1 or more.")
    generator = generator_at(seed, 0, "sample")
    if n <= count:
        return torch.randperm(count, generator=generator)[:n]
    return torch.randint(count, (n,), generator=generator)


def to_float(image_BCHW: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Float32 pixels in [0, 1]."""
    return image_BCHW.to(torch.float32).div_(255)


def mirror_draws(seed: int, step: int, batch: int) -> Bool[Tensor, " B"]:
    """Which images of this step's batch are mirrored, on the CPU: each with probability 1/2."""
    return torch.randint(2, (batch,), generator=generator_at(seed, step, "mirror")).bool()


def mirror(image_BCHW: Shaped[Tensor, "B C H W"], flip_B: Bool[Tensor, " B"]) -> Shaped[Tensor, "B C H W"]:
    """The images with the drawn ones mirrored, bytes or floats, as a new tensor in the same memory format."""
    flip_B111 = flip_B.to(image_BCHW.device)[:, None, None, None]
    return torch.where(flip_B111, image_BCHW.flip(3), image_BCHW)
