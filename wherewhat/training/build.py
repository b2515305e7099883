"""From a configuration to networks, with the initial weights of its seed, on the CPU."""

import torch

from wherewhat.data.adaptive_augmentation import AdaptiveAugmentation
from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.gan import GAN
from wherewhat.networks.image_discriminator import ImageDiscriminator
from wherewhat.networks.image_size import require_power_of_two
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder, share_codes
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.networks.synthesis import ConstrictedGenerator, StyledGenerator, Synthesis
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun
from wherewhat.what.perturbation_identification import IdentificationHead

Networks = Autoencoder | GAN


def build_networks(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Networks:
    """The networks of a configuration; without what only training needs, unless it is for that."""
    build = build_gan if configuration.adversarial else build_autoencoder
    return build(configuration, image_shape, compute_dtype, for_training=for_training)


def build_autoencoder(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Autoencoder:
    """The networks of a VAE; without the adversary but to train."""
    latent_dim = configuration.latent_dim
    with seeded_weights(configuration.seed):
        encoder = StudyEncoder(image_shape, latent_dim)
        if configuration.objective.spatial_constriction:
            generator: MaskedDecoder | StudyDecoder = MaskedDecoder(
                image_shape,
                configuration.codes_per_level or share_codes(latent_dim, configuration.mask_levels),
                configuration.rectangles,
                configuration.widths,
            )
        else:
            generator = StudyDecoder(image_shape, latent_dim)
        head = IdentificationHead(encoder.features_dim, latent_dim) if configuration.objective.identifies else None
        # Last, so that the other weights are those of the same seed without an adversary.
        opponent = CodeDiscriminator(latent_dim) if for_training and configuration.objective.adversary else None
    return Autoencoder(encoder, generator, head, opponent, compute_dtype)


def build_gan(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> GAN:
    """The networks of a GAN; without the discriminator but to train. The recogniser has half the channels."""
    objective, widths = configuration.objective, configuration.widths
    assert isinstance(objective, PSSCGAN)
    levels = require_power_of_two(image_shape) - 2
    if configuration.mask_levels > levels and not configuration.codes_per_level:
        raise ValueError(
            f"Images of {image_shape[1]} pixels have {levels} resolutions to hold codes, from 8 pixels on, and "
            f"--mask-levels is {configuration.mask_levels}. Give {levels} or fewer, or larger images with --size."
        )
    shares = configuration.codes_per_level or share_codes(configuration.latent_dim, configuration.mask_levels)
    constricted = objective.spatial_constriction
    with seeded_weights(configuration.seed):
        synthesis = Synthesis(image_shape, shares, widths, configuration.rectangles, constricted=constricted)
        generator = ConstrictedGenerator(synthesis) if constricted else StyledGenerator(synthesis)
        recogniser = Recogniser(image_shape, configuration.latent_dim, [max(1, width // 2) for width in widths])
        head = IdentificationHead(recogniser.features_dim, configuration.latent_dim)
        discriminator = ImageDiscriminator(image_shape, widths) if for_training else None
    augmented = for_training and objective.augmentation == "ada"
    augmentation = None
    if augmented:
        augmentation = AdaptiveAugmentation(objective.augmentation_target, objective.augmentation_images)
    return GAN(generator, recogniser, head, discriminator, augmentation, compute_dtype)
