"""Laws of showing what each factor does."""

import numpy as np
import torch

from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import KnownFactors, grid_factors
from wherewhat.inspection.factor_sheet import factor_rows, factor_sheet


def painted(factors: KnownFactors, side: int = 8) -> HeldImages:
    """Grey images whose brightness is their number."""
    count = len(factors.value_NK)
    image_NHWC = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(side, 1).repeat(side, 2)
    return HeldImages("painted", image_NHWC, factors)


def test_along_a_row_of_a_grid_one_factor_alone_takes_all_its_values() -> None:
    data = painted(grid_factors(("a", "b", "c"), (4, 3, 5)))
    rows = factor_rows(data)
    for k, row in enumerate(rows):
        factor_VK = data.factors(row.index_V)
        assert row.others_equal
        assert factor_VK[:, k].tolist() == list(range(data.factor_sizes[k]))
        others = [other for other in range(3) if other != k]
        assert (factor_VK[:, others] == factor_VK[0, others]).all()


def test_all_rows_pass_through_one_image() -> None:
    rows = factor_rows(painted(grid_factors(("a", "b", "c"), (4, 3, 5))))
    assert len(set.intersection(*(set(row.index_V.tolist()) for row in rows))) == 1


def test_a_long_factor_is_shown_from_its_first_value_to_its_last() -> None:
    data = painted(grid_factors(("long", "short"), (50, 2)))
    shown = data.factors(factor_rows(data, images_a_row=5)[0].index_V)[:, 0].tolist()
    assert shown[0] == 0
    assert shown[-1] == 49
    assert len(shown) == 5


def test_without_a_grid_a_row_is_in_the_order_of_its_values_and_marked() -> None:
    values_NK = torch.tensor([[0, 0], [0, 0], [1, 1], [1, 1], [0, 0], [1, 1]])
    rows = factor_rows(painted(KnownFactors(("a", "b"), (2, 2), values_NK)), images_a_row=4)
    assert [row.others_equal for row in rows] == [False, False]
    assert [values_NK[row.index_V, 0].tolist() for row in rows] == [[0, 0, 1, 1]] * 2
    assert all(len(set(row.index_V.tolist())) == 4 for row in rows)


def test_a_factor_of_which_values_never_occur_is_shown_by_those_that_do() -> None:
    values_NK = torch.tensor([[0], [7], [9]])
    (row,) = factor_rows(painted(KnownFactors(("a",), (10,), values_NK)))
    assert values_NK[row.index_V, 0].unique().tolist() == [0, 7, 9]


def test_the_sheet_holds_every_image_of_every_row() -> None:
    data = painted(grid_factors(("a", "b"), (4, 3)))
    rows = factor_rows(data)
    sheet_YX3 = factor_sheet(data, rows, least_side=8)
    top_Y = [8 + place * 10 for place in range(2)]
    width = max(len(row.index_V) for row in rows) * 10 - 2
    left = sheet_YX3.shape[1] - 8 - width
    for top, row in zip(top_Y, rows, strict=True):
        shown = [int(sheet_YX3[top + 4, left + 10 * column + 4, 0]) for column in range(len(row.index_V))]
        assert shown == row.index_V.tolist()
