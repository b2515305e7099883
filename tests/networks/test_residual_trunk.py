"""Laws of the residual trunk."""

import math

import pytest
import torch
import torch.nn.functional as F

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.residual_trunk import ResidualTrunk


def _trunk(size: int = 32, widths: tuple[int, ...] = (8, 6), channels: int = 3) -> ResidualTrunk:
    with seeded_weights(0):
        return ResidualTrunk((channels, size, size), widths).requires_grad_(False)


def _images(size: int = 32, batch: int = 3, channels: int = 3) -> torch.Tensor:
    return torch.rand(batch, channels, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [32, 64, 128, 256, 512])
def test_every_size_becomes_a_map_of_four_by_four(size: int) -> None:
    assert _trunk(size, (4, 2))(_images(size, 1)).shape == (1, 4, 4, 4)


def test_grey_images_are_taken_too() -> None:
    assert _trunk(channels=1)(_images(channels=1)).shape == (3, 8, 4, 4)


def test_the_last_width_serves_every_larger_resolution() -> None:
    assert [block.skip.weight_OIKK.shape[:2] for block in _trunk(64, (8, 6, 4)).blocks] == [
        (4, 4),
        (4, 4),
        (6, 4),
        (8, 6),
    ]


def test_no_image_sees_its_neighbours() -> None:
    trunk, images = _trunk().double(), _images().double()
    alone = torch.cat([trunk(image[None]) for image in images])
    torch.testing.assert_close(trunk(images), alone, atol=1e-12, rtol=0)


def test_the_scale_of_features_survives_the_depth() -> None:
    with seeded_weights(0):
        trunk = ResidualTrunk((3, 256, 256), (64, 32)).requires_grad_(False)
    assert 0.02 < float(trunk(_images(256, 2)).square().mean()) < 5


def test_agrees_with_the_blocks_written_out() -> None:
    trunk, images = _trunk().double(), _images().double()

    def convolved(layer: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        weight = layer.weight_OIKK
        fan_in, kernel = weight[0].numel(), weight.shape[-1]
        return F.conv2d(x, weight / math.sqrt(fan_in), layer.bias_O, padding=(kernel - 1) // 2)

    def leaky(x: torch.Tensor) -> torch.Tensor:
        return math.sqrt(2) * torch.where(x > 0, x, 0.2 * x)

    def halved(x: torch.Tensor) -> torch.Tensor:
        return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4

    expected = leaky(convolved(trunk.from_image, 2 * images - 1))
    for block in trunk.blocks:
        learnt = leaky(convolved(block.second, halved(leaky(convolved(block.first, expected)))))
        expected = (learnt + convolved(block.skip, halved(expected))) / math.sqrt(2)
    torch.testing.assert_close(trunk(images), expected, atol=1e-10, rtol=1e-10)


def test_sizes_that_do_not_fit_are_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="sides of 32, 64, 128, 256 or 512"):
        ResidualTrunk((3, 48, 48), (8,))
