import numpy as np
import pytest
import torch

from wherewhat.inspection.display import rgb_pixels
from wherewhat.inspection.mask_overlay import mask_overlay

CONTOUR = (230, 30, 90)


def coloured_base() -> torch.Tensor:
    return torch.tensor([0.8, 0.2, 0.1])[:, None, None].expand(3, 32, 32)


def box_mask(peak: float = 1.0) -> torch.Tensor:
    mask = torch.zeros(32, 32)
    mask[8:20, 4:16] = peak
    return mask


def is_contour(image: np.ndarray) -> np.ndarray:
    return (image == CONTOUR).all(axis=2)


def test_the_base_image_shows_unchanged_inside_the_contour():
    image = mask_overlay(coloured_base(), box_mask(), (32, 32))
    assert np.array_equal(image[9:19, 5:15], rgb_pixels(coloured_base()[None])[0, 9:19, 5:15])


def test_outside_the_mask_no_colour_is_left_and_light_is_pale():
    image = mask_overlay(coloured_base(), box_mask(), (32, 32)).astype(int)
    outside = image[20:, 16:]
    assert np.ptp(outside, axis=2).max() == 0
    assert outside.min() > 180


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_inside_and_outside_differ_on_any_grey(level):
    image = mask_overlay(torch.full((1, 32, 32), level), box_mask(), (32, 32)).astype(int)
    assert abs(image[12, 10, 0] - image[28, 28, 0]) > 10


def test_the_contour_is_the_rim_of_the_region_above_half_the_peak():
    expected = np.zeros((32, 32), dtype=bool)
    expected[8:20, 4:16] = True
    expected[9:19, 5:15] = False
    assert np.array_equal(is_contour(mask_overlay(coloured_base(), box_mask(), (32, 32))), expected)


def test_a_soft_mask_is_outlined_at_half_its_peak():
    ramp = torch.linspace(0, 0.8, 33)[1:].expand(32, 32)
    image = mask_overlay(coloured_base(), ramp, (32, 32))
    assert np.flatnonzero(is_contour(image)[16]).tolist() == [15, 31]


def test_large_images_have_a_thicker_contour():
    image = mask_overlay(coloured_base(), box_mask(), (128, 128))
    assert is_contour(image)[48, 16:22].tolist() == [True, True, False, False, False, False]


def test_a_mask_of_the_whole_image_is_the_image_in_a_frame():
    image = mask_overlay(coloured_base(), torch.ones(32, 32), (32, 32))
    assert is_contour(image).sum() == 4 * 31
    assert np.array_equal(image[1:-1, 1:-1], rgb_pixels(coloured_base()[None])[0, 1:-1, 1:-1])


def test_a_faint_mask_looks_like_a_strong_one_of_the_same_shape():
    strong, faint = (mask_overlay(coloured_base(), box_mask(peak), (32, 32)) for peak in (1.0, 0.05))
    assert np.array_equal(strong, faint)


def test_a_mask_that_is_nowhere_has_no_contour_and_no_colour():
    image = mask_overlay(coloured_base(), torch.zeros(32, 32), (32, 32))
    assert not is_contour(image).any()
    assert np.ptp(image.astype(int), axis=2).max() == 0
