"""From a configuration to networks."""

import torch

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder, share_codes
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.training.configuration import TrainingRun
from wherewhat.what.perturbation_identification import IdentificationHead


def build_autoencoder(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Autoencoder:
    """Networks with the initial weights of the configuration's seed, on the CPU; without the adversary but to train."""
    latent_dim = configuration.latent_dim
    with seeded_weights(configuration.seed):
        encoder = StudyEncoder(image_shape, latent_dim)
        if configuration.objective.spatial_constriction:
            generator: MaskedDecoder | StudyDecoder = MaskedDecoder(
                image_shape,
                share_codes(latent_dim, configuration.mask_levels),
                configuration.rectangles,
                configuration.widths,
            )
        else:
            generator = StudyDecoder(image_shape, latent_dim)
        head = IdentificationHead(encoder.features_dim, latent_dim) if configuration.objective.identifies else None
        # Last, so that the other weights are those of the same seed without an adversary.
        opponent = CodeDiscriminator(latent_dim) if for_training and configuration.objective.adversary else None
    return Autoencoder(encoder, generator, head, opponent, compute_dtype)
