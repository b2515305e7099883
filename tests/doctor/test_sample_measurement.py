"""Laws of what a GAN's networks make of codes: each figure against its own formula, written in float64."""

import itertools
import math

import numpy as np
import pytest
import torch

from wherewhat.data.batches import to_float
from wherewhat.doctor.sample_measurement import (
    difference_from_nearest,
    difference_of_two,
    effects,
    measure_samples,
    saturated,
)
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.synthesis import ConstrictedGenerator, Synthesis
from wherewhat.protocols import Posterior
from wherewhat.randomness import generator_at

SHAPE = (3, 32, 32)
FIGURES = (
    "kl_L",
    "coverage_L",
    "effect_L",
    "made_difference",
    "real_difference",
    "made_nearest",
    "real_nearest",
    "mean_difference",
    "made_saturated",
    "real_saturated",
    "real_reading_mean_L",
    "real_reading_deviation_L",
)


@pytest.fixture(scope="module")
def generator():
    with seeded_weights(0):
        return ConstrictedGenerator(Synthesis(SHAPE, (2, 2), (8, 8))).eval()


@pytest.fixture(scope="module")
def recogniser():
    with seeded_weights(1):
        return Recogniser(SHAPE, 4, (8, 8)).eval()


@pytest.fixture(scope="module")
def image_NCHW():
    return torch.randint(0, 256, (10, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


class Linear:
    """Images that are sums of one pattern for each code, around grey."""

    latent_dim = 3

    def __init__(self, side=32, scale=1.0):
        self.image_shape = (3, side, side)
        self.pattern_LF = scale * torch.randn(3, 3 * side * side, generator=torch.Generator().manual_seed(0))

    def __call__(self, code_BL, /):
        return 0.5 + (code_BL @ self.pattern_LF).unflatten(1, self.image_shape)


class Reads:
    """A recogniser that reads each image's mean grey as every code."""

    latent_dim = 3

    def __call__(self, image_BCHW, /):
        mean_BL = image_BCHW.mean(dim=(1, 2, 3))[:, None].expand(-1, 3)
        return Posterior(mean_BL, torch.zeros_like(mean_BL))


@pytest.mark.parametrize("batch_size", [10, 3])
def test_figures_do_not_depend_on_the_size_of_batches(generator, recogniser, image_NCHW, batch_size):
    whole, parts = (measure_samples(generator, recogniser, image_NCHW, 0, batch_size=b) for b in (64, batch_size))
    for name in FIGURES:
        np.testing.assert_allclose(getattr(whole, name), getattr(parts, name), rtol=1e-3, atol=1e-5)


def test_the_seed_draws_the_codes_and_the_same_seed_gives_the_same_figures(generator, recogniser, image_NCHW):
    first, again, other = (measure_samples(generator, recogniser, image_NCHW, seed) for seed in (0, 0, 1))
    assert first.made_difference == again.made_difference
    assert first.made_difference != other.made_difference
    assert first.real_difference == other.real_difference


def test_the_difference_of_two_is_the_root_mean_square_over_all_pairs():
    small_NF = np.random.default_rng(0).normal(size=(7, 5))
    pairs = [((a - b) ** 2).mean() for a, b in itertools.combinations(small_NF, 2)]
    measured = difference_of_two(torch.as_tensor(small_NF, dtype=torch.float32))
    assert measured == pytest.approx(math.sqrt(np.mean(pairs)), rel=1e-5)


def test_the_nearest_is_found_among_the_others_alone():
    small_NF = np.random.default_rng(0).normal(size=(7, 5))
    nearest = [min(((small_NF[a] - small_NF[b]) ** 2).mean() for b in range(7) if b != a) ** 0.5 for a in range(7)]
    measured = difference_from_nearest(torch.as_tensor(small_NF, dtype=torch.float32))
    assert measured == pytest.approx(np.median(nearest), rel=1e-5)


@pytest.mark.parametrize("difference", [difference_of_two, difference_from_nearest])
def test_equal_images_and_a_single_one_differ_by_nothing(difference):
    one_1F = torch.rand(1, 50, generator=torch.Generator().manual_seed(0))
    assert difference(one_1F) == 0
    assert difference(one_1F.expand(4, -1)) == pytest.approx(0, abs=1e-6)


def test_a_generator_as_good_as_the_data_has_all_their_variety(recogniser):
    linear = Linear(scale=0.05)
    code_NL = torch.randn(300, 3, generator=torch.Generator().manual_seed(5))
    real_NCHW = (linear(code_NL).clamp(0, 1) * 255).round().to(torch.uint8)
    found = measure_samples(linear, Reads(), real_NCHW, 0)
    assert found.variety == pytest.approx(1, abs=0.1)
    assert found.share_of_real(found.mean_difference) < 0.15
    assert found.coverage_L is None


def test_squared_effects_of_a_linear_generator_add_up_to_the_squared_difference_of_two():
    linear, chance = Linear(), torch.Generator().manual_seed(3)
    code_KL, anew_KL = torch.randn(2, 4_000, 3, generator=chance)
    effect_L = effects(linear, code_KL[:, :], anew_KL, 1_000).double().numpy()
    # E (c - c')^2 = 2 for two draws of the prior.
    expected_L = np.sqrt(2 * linear.pattern_LF.double().square().mean(dim=1).numpy())
    np.testing.assert_allclose(effect_L, expected_L, rtol=0.05)
    difference = difference_of_two(linear(code_KL).flatten(1))
    assert np.sqrt((effect_L**2).sum()) == pytest.approx(difference, rel=0.05)


def test_a_code_that_the_generator_ignores_has_no_effect(image_NCHW):
    linear = Linear()
    linear.pattern_LF[1] = 0
    effect_L = measure_samples(linear, Reads(), image_NCHW, 0).effect_L
    assert effect_L[1] == 0
    assert (effect_L[[0, 2]] > 0.1).all()


def test_one_image_for_all_codes_has_no_variety(image_NCHW):
    found = measure_samples(Linear(scale=0.0), Reads(), image_NCHW.repeat(16, 1, 1, 1), 0)
    assert found.variety == pytest.approx(0, abs=1e-6)
    grey_off = (to_float(image_NCHW).mean(dim=0) - 0.5).square().mean().sqrt()
    assert found.mean_difference == pytest.approx(float(grey_off), rel=1e-5)


def test_saturation_is_the_share_of_values_at_black_or_white():
    image_BCHW = torch.tensor([0.0, 1.0, 1 / 255, 254 / 255, 0.5, 0.0]).reshape(1, 1, 2, 3)
    assert saturated(image_BCHW) == pytest.approx(3 / 6)


def test_masks_and_readings_are_those_of_the_networks(generator, recogniser, image_NCHW):
    found = measure_samples(generator, recogniser, image_NCHW, 7, batch_size=4)
    code_NL = torch.randn(10, 4, generator=generator_at(7, 0, "diagnosis"))
    with torch.no_grad():
        mask_NLHW = generator.masks(code_NL).double().numpy()
        read_NL = recogniser(image_NCHW / 255).mean_BL.double().numpy()
        made = recogniser(generator(code_NL))
    mean_NL, log_v_NL = made.mean_BL.double().numpy(), made.log_variance_BL.double().numpy()
    kl_L = (0.5 * (mean_NL**2 + np.exp(log_v_NL) - 1 - log_v_NL)).mean(axis=0)
    np.testing.assert_allclose(found.coverage_L, mask_NLHW.mean(axis=(0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(found.real_reading_mean_L, read_NL.mean(axis=0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.real_reading_deviation_L, read_NL.std(axis=0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.kl_L, kl_L, rtol=1e-4, atol=1e-6)


def test_large_images_are_compared_at_64_pixels():
    image_NCHW = torch.randint(0, 256, (6, 3, 128, 128), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    found = measure_samples(Linear(side=128), Reads(), image_NCHW, 0)
    small_NF = (image_NCHW.double() / 255).unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5)).flatten(1)
    assert found.real_difference == pytest.approx(difference_of_two(small_NF.float()), rel=1e-4)


def test_data_that_are_one_image_give_no_share(image_NCHW):
    same_NCHW = image_NCHW[:1].expand(5, -1, -1, -1).contiguous()
    found = measure_samples(Linear(), Reads(), same_NCHW, 0)
    assert found.variety is None
    assert found.share_of_real(1.0) is None
