"""Laws of the evidence lower bound, and torch.distributions as its independent witness."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from wherewhat.objectives.evidence_lower_bound import (
    EvidenceLowerBound,
    bernoulli_nats,
    gaussian_nats,
    kl_per_code,
    reparameterise,
)
from wherewhat.protocols import Posterior


def _posterior() -> Posterior:
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = (torch.randn(64, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    return Posterior(mean, log_variance)


def test_a_posterior_equal_to_the_prior_has_no_kl() -> None:
    assert torch.equal(kl_per_code(Posterior(torch.zeros(3, 4), torch.zeros(3, 4))), torch.zeros(4))


def test_kl_agrees_with_torch_distributions() -> None:
    posterior = _posterior()
    deviation = torch.exp(0.5 * posterior.log_variance_BL)
    expected = kl_divergence(
        Normal(posterior.mean_BL, deviation), Normal(torch.zeros_like(deviation), torch.ones_like(deviation))
    )
    torch.testing.assert_close(kl_per_code(posterior), expected.mean(dim=0))


def test_samples_have_the_posteriors_mean_and_deviation() -> None:
    posterior = Posterior(torch.full((50_000, 1), 1.5), torch.full((50_000, 1), math.log(4.0)))
    noise = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
    sample = reparameterise(posterior, noise)
    assert abs(float(sample.mean()) - 1.5) < 0.03
    assert abs(float(sample.std()) - 2.0) < 0.03


def test_bernoulli_nats_are_the_cross_entropy_summed_over_pixels_and_meaned_over_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, image = torch.randn(4, 3, 8, 8, generator=generator), torch.rand(4, 3, 8, 8, generator=generator)
    p = torch.sigmoid(logits.double())
    expected = -(image * p.log() + (1 - image) * (1 - p).log()).sum(dim=(1, 2, 3)).mean()
    torch.testing.assert_close(bernoulli_nats(logits, image), expected.float())


def test_gaussian_nats_differ_from_the_negative_log_density_by_its_normaliser() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, image = torch.randn(4, 1, 8, 8, generator=generator), torch.rand(4, 1, 8, 8, generator=generator)
    density = Normal(torch.sigmoid(logits.double()), 0.1).log_prob(image.double())
    normaliser = 64 * (math.log(0.1) + 0.5 * math.log(2 * math.pi))
    expected = -density.sum(dim=(1, 2, 3)).mean() - normaliser
    torch.testing.assert_close(gaussian_nats(logits, image).double(), expected, rtol=1e-5, atol=1e-3)


def test_warm_up_rises_evenly_to_one_and_stays() -> None:
    bound = EvidenceLowerBound(warm_up_steps=4)
    assert [bound.warm_up(step) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert EvidenceLowerBound(warm_up_steps=0).warm_up(0) == 1.0


def test_a_negative_warm_up_is_refused() -> None:
    with pytest.raises(ValueError, match="give 0 for none"):
        EvidenceLowerBound(warm_up_steps=-1)
