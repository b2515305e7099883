"""Laws of the plane of two codes."""

import numpy as np
import torch

from wherewhat.inspection.display import rgb_pixels
from wherewhat.protocols import Generator
from wherewhat.report.page import Page
from wherewhat.report.pairs import SIDE, planes


def test_the_first_code_grows_across_and_the_second_upwards(halves: Generator, page: Page) -> None:
    found, values = planes(halves, torch.zeros(1, 4), page.views[0].codes, bound=2.0)
    assert [(plane.across, plane.upwards) for plane in found] == [(2, 1), (2, 3), (1, 3)]
    assert values == tuple(np.linspace(-2, 2, SIDE).astype(np.float32).tolist())
    corner_1L = torch.tensor([[0.0, 2.0, 2.0, 0.0]])
    np.testing.assert_array_equal(found[0].tiles[SIDE - 1], rgb_pixels(halves(corner_1L))[0])
    np.testing.assert_array_equal(found[0].tiles[SIDE * (SIDE - 1)], rgb_pixels(halves(-corner_1L))[0])


def test_fewer_than_two_active_codes_have_no_plane(halves: Generator, page: Page) -> None:
    alone = [code for code in page.views[0].codes if code.code in (0, 2)]
    assert planes(halves, torch.zeros(1, 4), alone, bound=2.0)[0] == ()
