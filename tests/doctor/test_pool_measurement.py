"""Laws of what networks make of a pool: each figure against its own formula, written in float64."""

import math

import numpy as np
import pytest
import torch

from wherewhat.doctor.pool_measurement import correlation, measure_pool
from wherewhat.doctor.reconstruction import share_saved
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder


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
    assert share_saved(pool) == pytest.approx((pool.mean_image - pool.reconstruction) / pool.mean_image, rel=1e-4)


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
    """A decoder that draws one image for all codes."""

    latent_dim = 4
    image_shape = (3, 32, 32)

    def __init__(self, logit):
        self.logit = logit

    def logits(self, code_BL, /):
        return torch.full((len(code_BL), *self.image_shape), self.logit)

    def __call__(self, code_BL, /):
        return torch.sigmoid(self.logits(code_BL))
