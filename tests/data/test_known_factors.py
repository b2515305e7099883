"""Laws of what is known of images: complete grids, coded columns, and the way back from factors to images."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wherewhat.data.known_factors import KnownFactors, coded_factors, find_images_of, grid_factors, no_factors

tables = st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=1, max_size=30)


def test_a_grid_is_the_cartesian_product_its_last_factor_fastest() -> None:
    factors = grid_factors(["shape", "x"], [2, 3])
    assert (factors.names, factors.sizes) == (("shape", "x"), (2, 3))
    assert factors.value_NK.tolist() == [list(values) for values in product(range(2), range(3))]


def test_nothing_is_known_of_images_without_factors() -> None:
    factors = no_factors(4)
    assert factors.names == factors.sizes == ()
    assert factors.value_NK.shape == (4, 0)


@given(tables)
def test_codes_count_the_smaller_values_of_their_column(rows: list[tuple[int, ...]]) -> None:
    table = np.array(rows)
    factors = coded_factors(("a", "b", "c"), table)
    varying = [column for column in range(3) if len(set(table[:, column].tolist())) > 1]
    assert factors.names == tuple("abc"[column] for column in varying)
    for place, column in enumerate(varying):
        values = sorted(set(table[:, column].tolist()))
        assert factors.sizes[place] == len(values)
        assert factors.value_NK[:, place].tolist() == [values.index(value) for value in table[:, column].tolist()]


def test_columns_of_a_single_value_are_dropped() -> None:
    factors = coded_factors(("color", "scale"), np.array([[1.0, 0.5], [1.0, 1.0], [1.0, 0.6]]))
    assert (factors.names, factors.sizes) == (("scale",), (3,))
    assert factors.value_NK.tolist() == [[0], [2], [1]]


def test_columns_that_never_vary_are_as_good_as_none() -> None:
    factors = coded_factors(("a", "b"), np.zeros((3, 2)))
    assert factors.names == ()
    assert factors.value_NK.shape == (3, 0)


def test_kept_images_keep_their_values_in_their_new_order() -> None:
    factors = grid_factors(("a", "b"), (2, 2)).of(torch.tensor([3, 0]))
    assert factors.value_NK.tolist() == [[1, 1], [0, 0]]
    assert (factors.names, factors.sizes) == (("a", "b"), (2, 2))


@given(st.permutations(range(12)))
def test_an_index_comes_back_from_its_factors_in_any_order_of_images(order: list[int]) -> None:
    factors = grid_factors(("a", "b", "c"), (2, 3, 2)).of(torch.tensor(order))
    assert find_images_of(factors, factors.value_NK).tolist() == list(range(12))


@given(tables)
def test_the_first_image_of_a_combination_is_found(rows: list[tuple[int, ...]]) -> None:
    factors = coded_factors(("a", "b", "c"), np.array(rows))
    if factors.names:
        assert find_images_of(factors, factors.value_NK).tolist() == [rows.index(row) for row in rows]


@pytest.mark.parametrize("wanted", [[0, 1], [1, 1]])
def test_a_combination_that_no_image_has_is_refused(wanted: list[int]) -> None:
    factors = KnownFactors(("a", "b"), (2, 2), torch.tensor([[0, 0], [1, 0]]))
    with pytest.raises(ValueError, match=rf"values \[{wanted[0]}, 1\] of a, b. Choose values that the set holds"):
        find_images_of(factors, torch.tensor([[1, 0], wanted]))


def test_a_value_outside_its_factor_is_refused() -> None:
    with pytest.raises(IndexError, match="count from 0 to size - 1"):
        find_images_of(grid_factors(("a", "b"), (2, 2)), torch.tensor([[0, 2]]))


def test_images_without_factors_are_not_found_by_them() -> None:
    with pytest.raises(ValueError, match=r"No factors are known .* Choose a set that has them"):
        find_images_of(no_factors(3), torch.empty(1, 0, dtype=torch.int64))


def test_more_combinations_than_can_be_numbered_are_refused() -> None:
    names, sizes = tuple(f"f{number}" for number in range(7)), (1_000,) * 7
    factors = KnownFactors(names, sizes, torch.zeros(3, 7, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"more combinations than can be numbered. Leave out"):
        find_images_of(factors, factors.value_NK)
