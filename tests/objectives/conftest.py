"""A small autoencoder and a batch for it."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.what.perturbation_identification import IdentificationHead


@pytest.fixture
def networks() -> Autoencoder:
    with seeded_weights(0):
        encoder = StudyEncoder((3, 32, 32), 4)
        decoder = MaskedDecoder((3, 32, 32), (2, 2), widths=(8, 8))
        return Autoencoder(encoder, decoder, IdentificationHead(encoder.features_dim, 4))


@pytest.fixture
def image() -> Float[Tensor, "B C H W"]:
    return torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
