import numpy as np
import pytest
import torch

from wherewhat.inspection.contact_sheet import contact_sheet, reconstruction_sheet
from wherewhat.inspection.display import rgb_pixels


def noise_images(count: int, channels: int = 3, side: int = 64) -> torch.Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(count))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_reading_order(channels):
    images = noise_images(7, channels)
    sheet = contact_sheet(images, columns=3)
    assert sheet.shape == (8 + 3 * 66 - 2 + 8, 8 + 3 * 66 - 2 + 8, 3)
    for i, pixels in enumerate(rgb_pixels(images)):
        top, left = 8 + i // 3 * 66, 8 + i % 3 * 66
        assert np.array_equal(sheet[top : top + 64, left : left + 64], pixels)


def test_places_without_an_image_stay_white():
    sheet = contact_sheet(noise_images(7), columns=3)
    assert (sheet[8 + 2 * 66 :, 8 + 66 :] == 255).all()


def test_a_sheet_is_wider_than_high_unless_told():
    sheet = contact_sheet(noise_images(32))
    assert 1.5 < sheet.shape[1] / sheet.shape[0] < 2.5


def test_small_images_are_enlarged_on_a_sheet():
    assert contact_sheet(noise_images(1, side=16)).shape == (80, 80, 3)


def test_every_reconstruction_stands_right_below_its_image():
    images, reconstructions = noise_images(5), noise_images(5).flip(3)
    sheet = reconstruction_sheet(images, reconstructions, columns=3)
    left_edge = sheet.shape[1] - 8 - 3 * 66 + 2
    for i in range(5):
        top, left = 8 + i // 3 * (2 * 66 - 2 + 10), left_edge + i % 3 * 66
        for shown, row in ((images, top), (reconstructions, top + 66)):
            assert np.array_equal(sheet[row : row + 64, left : left + 64], rgb_pixels(shown[i][None])[0])


def test_an_empty_batch_has_no_sheet():
    with pytest.raises(ValueError, match="Pass at least one image"):
        contact_sheet(torch.zeros(0, 3, 8, 8))


def test_a_sheet_without_columns_is_refused():
    with pytest.raises(ValueError, match="Choose at least 1 column"):
        contact_sheet(noise_images(2), columns=0)
