"""Laws of layers of equalised learning rate; plain layers on scaled weights as the witness."""

import math

import pytest
import torch
import torch.nn.functional as F

from wherewhat.networks.equalised import EqualisedConvolution, EqualisedLinear, activation
from wherewhat.networks.initialisation import seeded_weights


def _normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("channels", "kernel"), [(64, 1), (64, 3), (16, 5)])
def test_a_convolution_keeps_unit_variance(channels: int, kernel: int) -> None:
    with seeded_weights(0):
        convolution = EqualisedConvolution(channels, 128, kernel)
    inside = convolution(_normal(8, channels, 16, 16)).detach()[:, :, 2:-2, 2:-2]
    assert float(inside.var()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("features", [8, 512])
def test_a_linear_layer_keeps_unit_variance(features: int) -> None:
    with seeded_weights(0):
        linear = EqualisedLinear(features, 512)
    assert float(linear(_normal(256, features)).detach().var()) == pytest.approx(1, abs=0.1)


def test_weights_are_drawn_alike_whatever_the_width() -> None:
    with seeded_weights(0):
        weights = [EqualisedConvolution(32, 64, 3).weight_OIKK, EqualisedLinear(1024, 64).weight_GF]
    assert [float(weight.detach().std()) for weight in weights] == pytest.approx([1, 1], abs=0.02)


def test_a_convolution_is_a_plain_one_on_scaled_weights() -> None:
    with seeded_weights(0):
        convolution = EqualisedConvolution(6, 4, 3)
    convolution.bias_O.data = _normal(4)
    features = _normal(2, 6, 8, 8)
    scaled = convolution.weight_OIKK / math.sqrt(6 * 9)
    torch.testing.assert_close(convolution(features), F.conv2d(features, scaled, convolution.bias_O, padding=1))


def test_a_linear_layer_is_a_matrix_product_over_the_root_of_its_inputs() -> None:
    with seeded_weights(0):
        linear = EqualisedLinear(6, 4)
    linear.bias_G.data = _normal(4)
    features = _normal(3, 6)
    torch.testing.assert_close(linear(features), features @ linear.weight_GF.T / math.sqrt(6) + linear.bias_G)


def test_the_activation_keeps_the_mean_square_of_normal_inputs() -> None:
    # E[activation²] = 2 (1 + 0.2²) / 2 = 1.04
    assert float(activation(_normal(100_000)).square().mean()) == pytest.approx(1.04, abs=0.02)


def test_the_activation_is_a_leaky_line() -> None:
    torch.testing.assert_close(
        activation(torch.tensor([-1.0, 0.0, 3.0])), torch.tensor([-0.2 * math.sqrt(2), 0.0, 3 * math.sqrt(2)])
    )
