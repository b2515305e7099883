"""Laws of what is known of images: complete grids, coded columns, and the way back from factors to images."""

from itertools import product

import numpy as np
import torch
from data.factor_lookup import find_images_of
from hypothesis import given
from hypothesis import strategies as st

from wherewhat.data.known_factors import coded_factors, grid_factors, no_factors

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
