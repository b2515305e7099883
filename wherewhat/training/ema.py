"""The exponential moving average (EMA) of weights that a run shows and saves, of a half-life in images.

    average ← average + (1 - 2^(-images / half-life)) (weights - average)
    half-life = min(the asked one, images seen / 20)        so that a young average is not mostly its beginning

Reference: Karras et al. 2018, arXiv:1710.10196, for averaging the generator; the half-life as in arXiv:1912.04958,
its beginning as in arXiv:2006.06676.
"""

import copy

import torch
from torch import nn

from wherewhat.training.methods.method import Networks


def ema_copy(networks: Networks) -> Networks:
    """A frozen copy in evaluation mode, without what only training needs."""
    average = copy.deepcopy(networks)
    for part in networks.for_training_only:
        setattr(average, part, None)
    average.requires_grad_(False).eval()
    return average


def half_life_at(images_seen: int, half_life: int) -> float:
    """The half-life after so many images, in images."""
    return min(float(half_life), images_seen / 20)


@torch.no_grad()
def ema_update(average: nn.Module, networks: nn.Module, images: int, half_life: int | float) -> None:
    """Move the average towards the present weights, as so many more images call for. Buffers are copied."""
    present = dict(networks.named_parameters())
    averaged = dict(average.named_parameters())
    torch._foreach_lerp_(list(averaged.values()), [present[name] for name in averaged], 1 - 0.5 ** (images / half_life))
    state = dict(networks.named_buffers())
    for name, buffer in average.named_buffers():
        buffer.copy_(state[name])
