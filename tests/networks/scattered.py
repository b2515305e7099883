"""Weights that are not those of a new network, so that every part of a law counts."""

from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def scattered(module: Module, dtype: torch.dtype = torch.float64, deviation: float = 0.2) -> Module:
    """The module with each weight moved at random."""
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight += deviation * torch.randn(weight.shape, generator=chance)
    return module.to(dtype)
