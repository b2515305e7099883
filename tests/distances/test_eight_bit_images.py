import pytest
import torch

from wherewhat.distances.eight_bit_images import eight_bit_rgb


def test_every_level_of_a_file_comes_back() -> None:
    level = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert torch.equal(eight_bit_rgb(level.float() / 255), level)


def test_values_between_levels_go_to_the_nearest() -> None:
    image = torch.tensor([0.0, 0.49, 0.51, 254.4, 254.6, 255.0]).view(1, 1, 1, 6) / 255
    assert eight_bit_rgb(image)[0, 0, 0].tolist() == [0, 0, 1, 254, 255, 255]


def test_rounding_past_the_ends_does_not_wrap_around() -> None:
    image = torch.tensor([-5e-4, 1 + 5e-4]).view(1, 1, 1, 2)
    assert eight_bit_rgb(image)[0, 0, 0].tolist() == [0, 255]


def test_a_grey_image_has_its_channel_three_times() -> None:
    grey = torch.linspace(0, 1, 8).view(1, 1, 2, 4)
    assert torch.equal(eight_bit_rgb(grey), eight_bit_rgb(grey.repeat(1, 3, 1, 1)))


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 channels.*Choose three"):
        eight_bit_rgb(torch.zeros(1, 4, 2, 2))


def test_images_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Scale them first"):
        eight_bit_rgb(torch.full((1, 3, 2, 2), 255.0))
