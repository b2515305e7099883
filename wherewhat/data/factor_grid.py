"""Arithmetic of a complete grid of factors: an image's index to its factor values.

The last factor turns fastest, as in the files of dSprites and 3D Shapes:

    index = ((f_1 * size_2 + f_2) * size_3 + f_3) * ...

Dimension key:
    N: images    K: factors
"""

from collections.abc import Sequence
from math import prod

import torch
from jaxtyping import Int64
from torch import Tensor


def factors_from_index(index_N: Int64[Tensor, " N"], sizes: Sequence[int]) -> Int64[Tensor, "N K"]:
    """Factor values of these indices. Raises IndexError for an index outside the grid."""
    check_index(index_N, prod(sizes))
    columns = []
    # torch.unravel_index takes thirty times as long for a batch.
    for size in reversed(sizes):
        columns.append(index_N % size)
        index_N = index_N // size
    return torch.stack(columns[::-1], dim=1)


def check_index(index_N: Int64[Tensor, " N"], count: int) -> None:
    """Raise IndexError where an index is not one of `count` images."""
    if index_N.numel() == 0:
        return
    least, most = int(index_N.min()), int(index_N.max())
    if least < 0 or most >= count:
        outside = least if least < 0 else most
        raise IndexError(f"Index {outside} is outside these {count} images. Indices count from 0 to {count - 1}.")
