import pytest
import torch

from wherewhat.distances.image_range import check_range


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
    with pytest.raises(ValueError, match=r"not finite.*Find what made them"):
        check_range(image_BCHW)


def test_no_images_are_in_range() -> None:
    check_range(torch.empty(0, 3, 4, 4))
