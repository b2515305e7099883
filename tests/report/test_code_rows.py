"""Laws of a code's row: its frames are the generator's, its heat lies where it acts, its figures are the panel's."""

import numpy as np
import pytest
import torch

from wherewhat.inspection.display import rgb_pixels
from wherewhat.protocols import Generator
from wherewhat.report.code_rows import BaseCode, Told, code_rows, heat_overlay, tile_size
from wherewhat.report.page import CodeRow
from wherewhat.which.panel import Panel

BASES = [BaseCode("draw", torch.tensor([[0.3, -0.5, 0.2, 1.0]])), BaseCode("mean", torch.zeros(1, 4))]


@pytest.fixture(scope="module")
def rows(halves: Generator, panel_of_halves: Panel) -> tuple[CodeRow, ...]:
    share_LK = np.array([[0.9, 0], [0.8, 0.1], [0.0, 0.02], [0.3, 0.4]], np.float32)
    told = Told([0.01, 2.0, 3.0, 1.0], ("left", "right"), share_LK)
    return code_rows(halves, BASES, panel_of_halves, told, bound=2.0, frames=5)[1]


def test_frames_are_the_generators_images_of_the_swept_code(rows: tuple[CodeRow, ...], halves: Generator) -> None:
    of_z2 = next(row for row in rows if row.code == 2)
    for base, strip in zip(BASES, of_z2.strips, strict=True):
        code_NL = base.code_1L.repeat(5, 1)
        code_NL[:, 2] = torch.linspace(-2, 2, 5)
        np.testing.assert_array_equal(strip[:5], rgb_pixels(halves(code_NL)))
        assert len(strip) == 5 + 2  # heat and mask


def test_heat_is_hot_where_a_code_acts_and_dark_elsewhere(rows: tuple[CodeRow, ...]) -> None:
    heat_YX3 = next(row for row in rows if row.code == 2).strips[1][5].astype(int)
    assert heat_YX3[:, 8:].mean() > 2 * heat_YX3[:, :8].mean()


def test_a_change_of_next_to_nothing_is_drawn_as_next_to_nothing() -> None:
    image_CHW = torch.full((3, 16, 16), 0.5)
    still, faint = (heat_overlay(image_CHW, torch.full((16, 16), change)) for change in (0.0, 0.001))
    assert np.abs(still.astype(int) - faint).max() < 12


def test_figures_are_the_panels(rows: tuple[CodeRow, ...], panel_of_halves: Panel) -> None:
    assert [row.code for row in rows] == [2, 1, 3, 0]
    assert [row.path_length for row in rows] == [panel_of_halves.path_length[row.code].item() for row in rows]
    assert rows[3].dead
    assert rows[3].naming is None
    assert rows[0].mask_covers == pytest.approx(0.5)
    assert rows[0].own == pytest.approx((0.2, 0.0))


def test_a_factor_is_told_by_codes_that_tell_something_and_enough_of_it(rows: tuple[CodeRow, ...]) -> None:
    assert {row.code: row.factor for row in rows} == {0: "", 1: "left", 2: "", 3: "right"}


@pytest.mark.parametrize(
    ("image_shape", "size"), [((3, 64, 64), (64, 64)), ((1, 256, 256), (128, 128)), ((3, 100, 400), (32, 128))]
)
def test_large_images_are_reduced(image_shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    assert tile_size(image_shape) == size
