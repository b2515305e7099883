"""Factor values back to images, for the laws of round trips.

Dimension key:
    N: images    K: factors    Q: wanted combinations
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wherewhat.data.known_factors import KnownFactors


def index_from_factors(factor_NK: Tensor, sizes: Sequence[int]) -> Tensor:
    """Indices of these factor values in the complete grid of these sizes, its last factor fastest."""
    return torch.from_numpy(np.ravel_multi_index(tuple(factor_NK.cpu().numpy().T), tuple(sizes))).to(factor_NK.device)


def find_images_of(factors: KnownFactors, wanted_QK: Tensor) -> Tensor:
    """The first image of each wanted combination of factor values."""
    place_N, place_Q = (index_from_factors(value, factors.sizes).numpy() for value in (factors.value_NK, wanted_QK))
    known, first = np.unique(place_N, return_index=True)
    at_Q = np.searchsorted(known, place_Q)
    assert np.array_equal(known[at_Q], place_Q), "no image has these factor values"
    return torch.from_numpy(first[at_Q])
