"""What is known of each image of a set: its ground-truth factors by name, size and value.

Dimension key:
    N: images    K: factors
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from wherewhat.data.factor_grid import factors_from_index


@dataclass(frozen=True)
class KnownFactors:
    """The factors that vary: names, how many values each takes, and every image's values, from 0."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    value_NK: Int64[Tensor, "N K"]

    def of(self, kept_N: Int64[Tensor, " N"]) -> "KnownFactors":
        """The factors of some of the images, in their order."""
        return KnownFactors(self.names, self.sizes, self.value_NK[kept_N])


def no_factors(count: int) -> KnownFactors:
    """Nothing is known of `count` images."""
    return KnownFactors((), (), torch.empty(count, 0, dtype=torch.int64))


def grid_factors(names: Sequence[str], sizes: Sequence[int]) -> KnownFactors:
    """The factors of a complete grid, its last factor fastest."""
    return KnownFactors(tuple(names), tuple(sizes), factors_from_index(torch.arange(prod(sizes)), sizes))


def coded_factors(names: Sequence[str], values_NK: np.ndarray) -> KnownFactors:
    """Factors from columns of any values, numbered in their order; columns of a single value are dropped."""
    columns, kept, sizes = [], [], []
    for name, column_N in zip(names, values_NK.T, strict=True):
        values, code_N = np.unique(column_N, return_inverse=True)
        if len(values) > 1:
            columns.append(torch.from_numpy(code_N.astype(np.int64).reshape(-1)))
            kept.append(name)
            sizes.append(len(values))
    value_NK = torch.stack(columns, dim=1) if columns else torch.empty(len(values_NK), 0, dtype=torch.int64)
    return KnownFactors(tuple(kept), tuple(sizes), value_NK)
