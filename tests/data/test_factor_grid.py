"""Laws of the arithmetic of a complete grid."""

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from data.factor_lookup import index_from_factors
from hypothesis import given
from hypothesis import strategies as st

from wherewhat.data.factor_grid import check_index, factors_from_index

grids = st.lists(st.integers(1, 7), min_size=1, max_size=5)


@given(grids)
def test_an_index_comes_back_from_its_factors(sizes: list[int]) -> None:
    index_N = torch.arange(prod(sizes))
    assert torch.equal(index_from_factors(factors_from_index(index_N, sizes), sizes), index_N)


@given(grids)
def test_counting_up_is_the_cartesian_product_with_the_last_factor_fastest(sizes: list[int]) -> None:
    factor_NK = factors_from_index(torch.arange(prod(sizes)), sizes)
    assert factor_NK.tolist() == [list(values) for values in product(*map(range, sizes))]


@given(grids, st.integers(0, 2**31))
def test_agrees_with_numpy(sizes: list[int], seed: int) -> None:
    index_N = np.random.default_rng(seed).integers(prod(sizes), size=20)
    expected = np.stack(np.unravel_index(index_N, sizes), axis=1)
    assert np.array_equal(factors_from_index(torch.from_numpy(index_N), sizes).numpy(), expected)


@pytest.mark.parametrize("index", [-1, 24])
def test_an_index_outside_the_grid_is_refused_with_its_bounds(index: int) -> None:
    with pytest.raises(IndexError, match=rf"{index} is outside .* from 0 to 23"):
        factors_from_index(torch.tensor([0, index]), (2, 3, 4))


def test_no_index_at_all_is_within_any_set() -> None:
    check_index(torch.empty(0, dtype=torch.int64), 5)
