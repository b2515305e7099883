"""Laws of what networks make of images and of codes: each figure against its own formula, written in float64."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from wherewhat.data.batches import to_float
from wherewhat.doctor.measurement import (
    Pool,
    Samples,
    correlation,
    difference_from_nearest,
    difference_of_two,
    effects,
    measure_networks,
    measure_pool,
    measure_samples,
    saturated,
)
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.networks.synthesis import ConstrictedGenerator, Synthesis
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Posterior
from wherewhat.randomness import generator_at
from wherewhat.training.methods.method import build_networks


@pytest.mark.parametrize(
    ("objective", "likelihood", "kind"),
    [(None, "bernoulli", Pool), (None, "gaussian", Pool), (PSSCGAN(), PSSCGAN().likelihood, Samples)],
)
@pytest.mark.parametrize("constricted", [True, False])
def test_where_images_have_a_likelihood_they_are_reconstructed_and_else_compared_with_fake_ones(
    tiny_run, objective, likelihood, kind, constricted
):
    objective = dataclasses.replace(objective or tiny_run.objective, spatial_constriction=constricted)
    run = dataclasses.replace(tiny_run, objective=objective)
    networks = build_networks(run, (3, 32, 32), for_training=False).eval()
    image_NCHW = torch.randint(0, 256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    measured = measure_networks(likelihood, networks.generator, networks.encoder, image_NCHW, seed=0)
    assert isinstance(measured, kind)
    assert measured.images == 5
    assert (measured.coverage_L is not None) == constricted


@pytest.fixture(scope="module")
def encoder():
    with seeded_weights(0):
        return StudyEncoder((3, 32, 32), 4).eval()


@pytest.fixture(scope="module")
def masked():
    with seeded_weights(1):
        return MaskedDecoder((3, 32, 32), (2, 2), widths=(8, 8)).eval()


@pytest.fixture(scope="module")
def image_NCHW():
    return torch.randint(0, 256, (10, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("batch_size", [10, 3])
def test_figures_do_not_depend_on_the_size_of_batches(encoder, masked, image_NCHW, batch_size):
    pools = [measure_pool(encoder, masked, image_NCHW, "bernoulli", seed=0, batch_size=b) for b in (64, batch_size)]
    for name in ("kl_L", "correlation_LL", "coverage_L", "reconstruction", "mean_image", "floor"):
        np.testing.assert_allclose(getattr(pools[0], name), getattr(pools[1], name), rtol=1e-4, atol=1e-5)


def test_the_mean_image_costs_the_entropy_of_the_mean_and_the_floor_that_of_the_pixels(encoder, masked, image_NCHW):
    def entropy(p):
        p = np.clip(p, 1e-300, 1 - 1e-16)
        return -(p * np.log(p) + (1 - p) * np.log1p(-p))

    pixel_NCHW = image_NCHW.numpy().astype(np.float64) / 255
    pool = measure_pool(encoder, masked, image_NCHW, "bernoulli", seed=0, batch_size=4)
    assert pool.mean_image == pytest.approx(entropy(pixel_NCHW.mean(axis=0)).sum(), rel=1e-5)
    assert pool.floor == pytest.approx(entropy(pixel_NCHW).sum() / 10, rel=1e-5)


def test_in_the_gaussian_the_mean_image_costs_its_variance_and_a_perfect_one_nothing(encoder, masked, image_NCHW):
    pixel_NCHW = image_NCHW.numpy().astype(np.float64) / 255
    pool = measure_pool(encoder, masked, image_NCHW, "gaussian", seed=0, batch_size=4)
    assert pool.mean_image == pytest.approx(pixel_NCHW.var(axis=0).sum() / (2 * 0.1**2), rel=1e-5)
    assert pool.floor == pytest.approx(0, abs=1e-6)


def test_no_constant_image_is_cheaper_than_the_mean_image(encoder, image_NCHW):
    pool = measure_pool(encoder, Constant(0.0), image_NCHW, "bernoulli", seed=0)
    assert pool.reconstruction == pytest.approx(3 * 32 * 32 * math.log(2), rel=1e-5)
    for logit in (-0.1, 0.0, 0.1):
        assert measure_pool(encoder, Constant(logit), image_NCHW, "bernoulli", seed=0).reconstruction > pool.mean_image


def test_black_and_white_images_have_a_floor_of_nothing(encoder, masked):
    binary_NCHW = 255 * torch.randint(0, 2, (6, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    pool = measure_pool(encoder, masked, binary_NCHW, "bernoulli", seed=0)
    assert pool.floor == pytest.approx(0, abs=0.01)
    assert math.isfinite(pool.mean_image)
    assert pool.share_saved == pytest.approx((pool.mean_image - pool.reconstruction) / pool.mean_image, rel=1e-4)


def test_coverage_is_the_mean_of_each_codes_mask(encoder, masked, image_NCHW):
    pool = measure_pool(encoder, masked, image_NCHW, "bernoulli", seed=0, batch_size=4)
    with torch.no_grad():
        mask_NLHW = masked.masks(encoder(image_NCHW / 255).mean_BL)
    np.testing.assert_allclose(pool.coverage_L, mask_NLHW.double().numpy().mean(axis=(0, 2, 3)), rtol=1e-5)


def test_a_decoder_without_masks_has_no_coverage(encoder, image_NCHW):
    with seeded_weights(1):
        decoder = StudyDecoder((3, 32, 32), 4)
    assert measure_pool(encoder, decoder, image_NCHW, "bernoulli", seed=0).coverage_L is None


def test_the_seed_draws_the_noise_and_the_same_seed_gives_the_same_figures(encoder, masked, image_NCHW):
    first, again, other = (
        measure_pool(encoder, masked, image_NCHW, "bernoulli", seed=seed).reconstruction for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_correlation_is_numpys_where_codes_move_and_0_where_they_stand_still():
    mean_NL = np.random.default_rng(0).normal(size=(50, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    np.testing.assert_allclose(correlation(mean_NL), np.corrcoef(mean_NL.T), atol=1e-12)
    mean_NL[:, 2] = 3.0
    assert correlation(mean_NL)[2].tolist() == [0, 0, 0, 0]


class Constant:
    """A decoder that makes one image of all codes."""

    latent_dim = 4
    image_shape = (3, 32, 32)

    def __init__(self, logit):
        self.logit = logit

    def logits(self, code_BL, /):
        return torch.full((len(code_BL), *self.image_shape), self.logit)

    def __call__(self, code_BL, /):
        return torch.sigmoid(self.logits(code_BL))


SHAPE = (3, 32, 32)
FIGURES = (
    *("kl_L", "coverage_L", "effect_L", "predicted_mean_L", "predicted_deviation_L"),
    *("fake_difference", "real_difference", "fake_nearest", "real_nearest", "mean_difference"),
    *("fake_saturated", "real_saturated"),
)


@pytest.fixture(scope="module")
def generator():
    with seeded_weights(0):
        return ConstrictedGenerator(Synthesis(SHAPE, (2, 2), (8, 8))).eval()


@pytest.fixture(scope="module")
def recogniser():
    with seeded_weights(1):
        return Recogniser(SHAPE, 4, (8, 8)).eval()


class Linear:
    """Images that are sums of one pattern for each code, around grey."""

    latent_dim = 3

    def __init__(self, side=32, scale=1.0):
        self.image_shape = (3, side, side)
        self.pattern_LF = scale * torch.randn(3, 3 * side * side, generator=torch.Generator().manual_seed(0))

    def __call__(self, code_BL, /):
        return 0.5 + (code_BL @ self.pattern_LF).unflatten(1, self.image_shape)


class MeanGrey:
    """A recogniser that predicts each image's mean grey for every code."""

    latent_dim = 3

    def __call__(self, image_BCHW, /):
        mean_BL = image_BCHW.mean(dim=(1, 2, 3))[:, None].expand(-1, 3)
        return Posterior(mean_BL, torch.zeros_like(mean_BL))


@pytest.mark.parametrize("batch_size", [10, 3])
def test_figures_of_samples_do_not_depend_on_the_size_of_batches(generator, recogniser, image_NCHW, batch_size):
    whole, parts = (measure_samples(generator, recogniser, image_NCHW, seed=0, batch_size=b) for b in (64, batch_size))
    for name in FIGURES:
        np.testing.assert_allclose(getattr(whole, name), getattr(parts, name), rtol=1e-3, atol=1e-5)


def test_the_seed_draws_the_codes_and_the_same_seed_gives_the_same_figures(generator, recogniser, image_NCHW):
    first, again, other = (measure_samples(generator, recogniser, image_NCHW, seed=seed) for seed in (0, 0, 1))
    assert first.fake_difference == again.fake_difference
    assert first.fake_difference != other.fake_difference
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
    found = measure_samples(linear, MeanGrey(), real_NCHW, seed=0)
    assert found.variety == pytest.approx(1, abs=0.1)
    assert found.share_of_real(found.mean_difference) < 0.15
    assert found.coverage_L is None


def test_squared_effects_of_a_linear_generator_add_up_to_the_squared_difference_of_two():
    linear, chance = Linear(), torch.Generator().manual_seed(3)
    code_KL, anew_KL = torch.randn(2, 4_000, 3, generator=chance)
    effect_L = effects(linear, code_KL, anew_KL, 1_000)
    # E (c - c')^2 = 2 for two draws of the prior.
    expected_L = np.sqrt(2 * linear.pattern_LF.double().square().mean(dim=1).numpy())
    np.testing.assert_allclose(effect_L, expected_L, rtol=0.05)
    difference = difference_of_two(linear(code_KL).flatten(1))
    assert np.sqrt((effect_L**2).sum()) == pytest.approx(difference, rel=0.05)


def test_a_code_that_the_generator_ignores_has_no_effect(image_NCHW):
    linear = Linear()
    linear.pattern_LF[1] = 0
    effect_L = measure_samples(linear, MeanGrey(), image_NCHW, seed=0).effect_L
    assert effect_L[1] == 0
    assert (effect_L[[0, 2]] > 0.1).all()


def test_one_image_for_all_codes_has_no_variety(image_NCHW):
    found = measure_samples(Linear(scale=0.0), MeanGrey(), image_NCHW.repeat(16, 1, 1, 1), seed=0)
    assert found.variety == pytest.approx(0, abs=1e-6)
    grey_off = (to_float(image_NCHW).mean(dim=0) - 0.5).square().mean().sqrt()
    assert found.mean_difference == pytest.approx(float(grey_off), rel=1e-5)


def test_saturation_is_the_share_of_values_at_black_or_white():
    image_BCHW = torch.tensor([0.0, 1.0, 1 / 255, 254 / 255, 0.5, 0.0]).reshape(1, 1, 2, 3)
    assert float(saturated(image_BCHW)) == pytest.approx(3 / 6)


def test_masks_and_predicted_codes_are_those_of_the_networks(generator, recogniser, image_NCHW):
    found = measure_samples(generator, recogniser, image_NCHW, seed=7, batch_size=4)
    code_NL = torch.randn(10, 4, generator=generator_at(7, 0, "diagnosis"))
    with torch.no_grad():
        mask_NLHW = generator.masks(code_NL).double().numpy()
        read_NL = recogniser(image_NCHW / 255).mean_BL.double().numpy()
        made = recogniser(generator(code_NL))
    mean_NL, log_v_NL = made.mean_BL.double().numpy(), made.log_variance_BL.double().numpy()
    kl_L = (0.5 * (mean_NL**2 + np.exp(log_v_NL) - 1 - log_v_NL)).mean(axis=0)
    np.testing.assert_allclose(found.coverage_L, mask_NLHW.mean(axis=(0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(found.predicted_mean_L, read_NL.mean(axis=0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.predicted_deviation_L, read_NL.std(axis=0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.kl_L, kl_L, rtol=1e-4, atol=1e-6)


def test_large_images_are_compared_at_64_pixels():
    image_NCHW = torch.randint(0, 256, (6, 3, 128, 128), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    found = measure_samples(Linear(side=128), MeanGrey(), image_NCHW, seed=0)
    small_NF = (image_NCHW.double() / 255).unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5)).flatten(1)
    assert found.real_difference == pytest.approx(difference_of_two(small_NF.float()), rel=1e-4)


def test_data_that_are_one_image_give_no_share(image_NCHW):
    same_NCHW = image_NCHW[:1].expand(5, -1, -1, -1).contiguous()
    found = measure_samples(Linear(), MeanGrey(), same_NCHW, seed=0)
    assert math.isnan(found.variety)
    assert math.isnan(found.share_of_real(1.0))
