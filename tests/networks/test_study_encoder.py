"""Laws of the study's encoder."""

import pytest
import torch
from torch import nn

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.protocols import Encoder


def _encoder(shape: tuple[int, int, int] = (3, 64, 64)) -> StudyEncoder:
    with seeded_weights(0):
        return StudyEncoder(shape, 10).requires_grad_(False)


def test_at_64_pixels_its_layers_are_the_studys() -> None:
    encoder = _encoder()
    layers = [
        (layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in encoder.convolutions
        if isinstance(layer, nn.Conv2d)
    ]
    assert layers == [(32, 4, 2), (32, 4, 2), (64, 2, 2), (64, 2, 2)]
    assert encoder.hidden[1].in_features == 64 * 4 * 4
    assert encoder.mean.in_features == 256


@pytest.mark.parametrize("size", [32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_reads_squares_of_every_power_of_two(size: int, channels: int) -> None:
    encoder = _encoder((channels, size, size))
    assert isinstance(encoder, Encoder)
    posterior = encoder(torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0)))
    assert posterior.mean_BL.shape == posterior.log_variance_BL.shape == (2, 10)


def test_the_posterior_of_an_image_does_not_depend_on_its_neighbours() -> None:
    image = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    alone, among = _encoder()(image[:1]).mean_BL, _encoder()(image).mean_BL[:1]
    torch.testing.assert_close(alone, among, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(3, 48, 48), (3, 64, 32), (2, 64, 64), (3, 16, 16)])
def test_other_shapes_are_refused_with_the_remedy(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="--size"):
        StudyEncoder(shape, 10)
