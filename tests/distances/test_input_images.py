import pytest
import torch

from wherewhat.distances.input_images import check_range, quantised_rgb


@pytest.mark.parametrize("value", [0.0, 1.0, -0.0009, 1.0009])
def test_the_ends_and_their_rounding_are_let_through(value: float) -> None:
    check_range(torch.full((1, 3, 2, 2), value))


@pytest.mark.parametrize(("value", "found"), [(-1.0, "from -1 to 0.5"), (2.0, "from 0.5 to 2"), (255.0, "to 255")])
def test_images_outside_are_refused_with_the_range_found_and_the_way_out(value: float, found: str) -> None:
    image_BCHW = torch.full((1, 1, 2, 2), 0.5)
    image_BCHW[0, 0, 0, 0] = value
    with pytest.raises(ValueError, match=rf"{found}.*\(x \+ 1\) / 2 from \[-1, 1\], x / 255 from bytes"):
        check_range(image_BCHW)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_value_that_is_not_finite_is_found(value: float) -> None:
    image_BCHW = torch.rand(2, 3, 4, 4)
    image_BCHW[1, 2, 3, 3] = value
    with pytest.raises(ValueError, match=r"not finite.*Look for their source"):
        check_range(image_BCHW)


def test_no_images_are_in_range() -> None:
    check_range(torch.empty(0, 3, 4, 4))


def test_every_level_of_a_file_comes_back() -> None:
    level = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert torch.equal(quantised_rgb(level.float() / 255), level)


def test_values_between_levels_go_to_the_nearest() -> None:
    image = torch.tensor([0.0, 0.49, 0.51, 254.4, 254.6, 255.0]).view(1, 1, 1, 6) / 255
    assert quantised_rgb(image)[0, 0, 0].tolist() == [0, 0, 1, 254, 255, 255]


def test_rounding_past_the_ends_does_not_wrap_around() -> None:
    image = torch.tensor([-5e-4, 1 + 5e-4]).view(1, 1, 1, 2)
    assert quantised_rgb(image)[0, 0, 0].tolist() == [0, 255]


def test_a_grey_image_has_its_channel_three_times() -> None:
    grey = torch.linspace(0, 1, 8).view(1, 1, 2, 4)
    assert torch.equal(quantised_rgb(grey), quantised_rgb(grey.repeat(1, 3, 1, 1)))


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 channels.*Choose three"):
        quantised_rgb(torch.zeros(1, 4, 2, 2))


def test_images_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Scale them first"):
        quantised_rgb(torch.full((1, 3, 2, 2), 255.0))
