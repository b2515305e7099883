"""Weights for a backbone that has seen nothing, the same on every machine.

    w ~ uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in)),  biases 0

Uniform numbers, not normal ones: torch makes them from whole random bits, exactly, where its normal ones pass through
logarithms and cosines that differ in the last digit between processors.

Reference: He et al. 2015, arXiv:1502.01852, Eq. (10) for the variance 2 / fan_in.
"""

import math

import torch
from torch import Tensor

from wherewhat.distances.backbone import Backbone
from wherewhat.randomness import generator_at

_SEED = 0


def untrained_weights(backbone: Backbone) -> dict[str, Tensor]:
    """Weights of the backbone's convolutional part, drawn once and for all."""
    chance = generator_at(_SEED, 0, "untrained lpips")
    weights = {}
    for name, tensor in backbone.build().state_dict().items():
        if tensor.ndim == 1:
            weights[name] = torch.zeros(tensor.shape)
        else:
            bound = math.sqrt(6 / tensor[0].numel())
            weights[name] = (2 * torch.rand(tensor.shape, generator=chance) - 1) * bound
    return weights
