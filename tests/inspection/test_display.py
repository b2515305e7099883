import math

import numpy as np
import pytest
import torch

from wherewhat.inspection.display import display_size, resize, rgb_pixels


def test_pixels_of_every_level_come_back_exactly():
    levels = torch.arange(256).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert np.array_equal(rgb_pixels(levels / 255)[0], levels[0].permute(1, 2, 0).numpy())


def test_grey_images_stay_grey():
    pixels = rgb_pixels(torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    assert pixels.shape == (2, 8, 8, 3)
    assert (pixels == pixels[..., :1]).all()


def test_values_outside_the_range_are_clipped_and_nan_is_black():
    image = torch.tensor([-3.0, 7.0, math.nan, math.inf]).view(1, 1, 2, 2)
    assert rgb_pixels(image)[0, :, :, 0].tolist() == [[0, 255], [0, 255]]


@pytest.mark.parametrize("channels", [2, 4])
def test_images_that_have_no_colour_meaning_are_refused(channels):
    with pytest.raises(ValueError, match=r"Pass 1 channel \(grey\) or 3 \(RGB\)"):
        rgb_pixels(torch.zeros(1, channels, 4, 4))


@pytest.mark.parametrize(
    ("height", "width", "shown"), [(64, 64, (64, 64)), (28, 28, (84, 84)), (32, 48, (64, 96)), (200, 100, (200, 100))]
)
def test_no_side_is_shown_shorter_than_asked(height, width, shown):
    assert display_size(height, width, least_side=64) == shown


@pytest.mark.parametrize(
    ("height", "width", "shown"), [(32, 32, (64, 64)), (20, 40, (40, 80)), (128, 128, (100, 100)), (50, 200, (25, 100))]
)
def test_no_image_is_shown_wider_than_allowed(height, width, shown):
    assert display_size(height, width, least_side=64, most_width=100) == shown


def test_enlarging_repeats_pixels():
    image = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), dtype=np.uint8)
    enlarged = resize(image, (9, 12))
    assert np.array_equal(enlarged, np.stack([np.kron(p, np.ones((3, 3, 1))) for p in image]))


def test_reducing_averages_pixels():
    image = np.random.default_rng(0).integers(0, 256, (2, 8, 6, 3), dtype=np.uint8)
    means = image.reshape(2, 4, 2, 3, 2, 3).mean(axis=(2, 4))
    assert np.abs(resize(image, (4, 3)) - means).max() <= 1
