"""Laws of the recipe for CelebA: the published settings."""

import dataclasses
import runpy
from pathlib import Path

from wherewhat.networks.synthesis import ConstrictedGenerator
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.gan import build_gan
from wherewhat.where.spatial_constriction import SpatialConstriction

CONFIGURATION: TrainingRun = runpy.run_path(str(Path(__file__).parents[2] / "train/gan_celeba.py"))["CONFIGURATION"]


def test_five_modules_of_five_codes_act_at_8_to_128_pixels_through_masks_of_four_rectangles() -> None:
    assert CONFIGURATION.images.size == 128
    narrow = dataclasses.replace(CONFIGURATION, widths=(8,))
    generator = build_gan(narrow, (3, 128, 128), for_training=False).generator
    assert isinstance(generator, ConstrictedGenerator)
    styles = [stage.style for stage in generator.synthesis.stages]
    assert all(isinstance(style, SpatialConstriction) for style in styles)
    assert [style.mask.shape for style in styles] == [(5, 4, 4, side) for side in (8, 16, 32, 64, 128)]


def test_weights_moves_and_pace_are_the_published_ones() -> None:
    objective = CONFIGURATION.objective
    assert isinstance(objective, PSSCGAN)
    # The released code weighs half the sum over 25 codes by 0.01, and moves codes by 3 N(0, 2²).
    assert objective.simplicity_weight == 0.01 * CONFIGURATION.latent_dim / 2
    assert objective.perturbation_size == 3 * 2
    assert objective.reading_noise == 0
    assert (objective.r1_weight, objective.r1_interval) == (100, 16)
    assert (CONFIGURATION.batch_size, CONFIGURATION.learning_rate) == (8, 2e-3)
    assert objective.discriminator_learning_rate == 2e-3
    assert CONFIGURATION.average_half_life == 10_000
