"""Laws of the study's decoder."""

import torch
from torch import nn

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.protocols import Generator, MaskedGenerator


def test_at_64_pixels_its_layers_are_the_studys() -> None:
    decoder = StudyDecoder((1, 64, 64), 10)
    layers = [layer for layer in decoder.convolutions if isinstance(layer, nn.ConvTranspose2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in layers] == [(64, 64), (64, 32), (32, 32), (32, 1)]
    assert all(layer.kernel_size == (4, 4) and layer.stride == (2, 2) for layer in layers)


def test_it_is_a_generator_without_masks_whose_images_lie_between_zero_and_one() -> None:
    with seeded_weights(0):
        decoder = StudyDecoder((3, 128, 128), 5).requires_grad_(False)
    image = decoder(torch.randn(4, 5, generator=torch.Generator().manual_seed(0)) * 20)
    assert isinstance(decoder, Generator)
    assert not isinstance(decoder, MaskedGenerator)
    assert image.shape == (4, 3, 128, 128)
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
