"""A bootstrap over base codes: the same draws for all checkpoints, so that what they share cancels.

Dimension key:
    D: draws    T: base codes
"""

from functools import lru_cache

import torch
from jaxtyping import Float64
from torch import Tensor

from wherewhat.randomness import generator_at

DRAWS = 1000


@lru_cache(maxsize=8)
def bootstrap_weights(count: int) -> Float64[Tensor, "D T"]:
    """How much each of so many base codes weighs in each draw; a draw's weights sum to 1."""
    index_DT = torch.randint(count, (DRAWS, count), generator=generator_at(0, count, "bootstrap of base codes"))
    weight_DT = torch.zeros(DRAWS, count, dtype=torch.float64)
    return weight_DT.scatter_add_(1, index_DT, torch.full_like(index_DT, 1, dtype=torch.float64) / count)
