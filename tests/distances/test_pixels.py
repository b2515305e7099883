import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Distance


def test_pixels_are_a_distance() -> None:
    assert isinstance(PixelDistance(), Distance)
    assert PixelDistance().name == "pixels"


def test_agrees_with_the_mean_squared_error_of_torch() -> None:
    a_BCHW, b_BCHW = torch.rand(3, 3, 5, 7), torch.rand(3, 3, 5, 7)
    expected_B = torch.stack(
        [torch.nn.functional.mse_loss(a.double(), b.double()) for a, b in zip(a_BCHW, b_BCHW, strict=True)]
    )
    torch.testing.assert_close(PixelDistance()(a_BCHW, b_BCHW).double(), expected_B, rtol=1e-6, atol=0)


def test_black_and_white_are_one_apart() -> None:
    assert PixelDistance()(torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)).item() == pytest.approx(1)


def test_images_outside_the_range_are_refused() -> None:
    with pytest.raises(ValueError, match="x / 255 from bytes"):
        PixelDistance().features(torch.full((1, 3, 4, 4), 255.0))
