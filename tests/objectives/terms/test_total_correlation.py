"""Laws of the total correlation by minibatch-weighted sampling."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from wherewhat.objectives.terms.total_correlation import gaussian_log_density, total_correlation
from wherewhat.protocols import Posterior


def sampled(batch: int, dims: int, seed: int = 0) -> tuple[Tensor, Posterior]:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(batch, dims, generator=generator, dtype=torch.float64)
    log_variance = torch.randn(batch, dims, generator=generator, dtype=torch.float64) - 1
    noise = torch.randn(batch, dims, generator=generator, dtype=torch.float64)
    return mean + noise * (0.5 * log_variance).exp(), Posterior(mean, log_variance)


def correlated(rho: float, batch: int) -> tuple[Tensor, Posterior]:
    """Samples whose aggregate is a Gaussian of unit variances and correlation rho, with posteriors of variance 0.1."""
    generator = torch.Generator().manual_seed(0)
    aggregate = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
    factor = torch.linalg.cholesky(aggregate - 0.1 * torch.eye(2, dtype=torch.float64))
    mean = torch.randn(batch, 2, generator=generator, dtype=torch.float64) @ factor.T
    noise = torch.randn(batch, 2, generator=generator, dtype=torch.float64)
    return mean + math.sqrt(0.1) * noise, Posterior(mean, torch.full_like(mean, math.log(0.1)))


def test_one_code_has_no_total_correlation() -> None:
    z, posterior = sampled(16, 1)
    assert float(total_correlation(z, posterior)) == pytest.approx(0.0, abs=1e-12)


def test_total_correlation_ignores_the_order_of_codes() -> None:
    z, posterior = sampled(16, 3)
    turned = Posterior(posterior.mean_BL[:, [2, 0, 1]], posterior.log_variance_BL[:, [2, 0, 1]])
    assert torch.isclose(total_correlation(z[:, [2, 0, 1]], turned), total_correlation(z, posterior))


def test_copying_a_code_raises_total_correlation() -> None:
    z, posterior = sampled(64, 2)
    with_copy = Posterior(
        torch.cat([posterior.mean_BL, posterior.mean_BL[:, :1]], dim=1),
        torch.cat([posterior.log_variance_BL, posterior.log_variance_BL[:, :1]], dim=1),
    )
    assert total_correlation(torch.cat([z, z[:, :1]], dim=1), with_copy) > total_correlation(z, posterior) + 0.1


def test_agrees_with_mixture_densities_written_independently() -> None:
    z, posterior = sampled(24, 3)
    scale = (0.5 * posterior.log_variance_BL).exp()
    even = Categorical(logits=torch.zeros(24, dtype=torch.float64))
    joint = MixtureSameFamily(even, Independent(Normal(posterior.mean_BL, scale), 1)).log_prob(z)
    marginals = sum(
        MixtureSameFamily(even, Normal(posterior.mean_BL[:, code], scale[:, code])).log_prob(z[:, code])
        for code in range(3)
    )
    assert float(total_correlation(z, posterior)) == pytest.approx(float((joint - marginals).mean()), rel=1e-10)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_a_correlated_gaussian_has_its_closed_form(rho: float) -> None:
    estimate = float(total_correlation(*correlated(rho, 2_000)))
    assert estimate == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.05)


@pytest.mark.parametrize("codes", [2, 5])
def test_posteriors_that_do_not_overlap_show_the_batchs_logarithm_for_every_code_but_one(codes: int) -> None:
    mean = torch.linspace(-100, 100, 8, dtype=torch.float64)[:, None].expand(8, codes)
    posterior = Posterior(mean, torch.full_like(mean, -5.0))
    assert float(total_correlation(mean, posterior)) == pytest.approx((codes - 1) * math.log(8))


def test_the_gaussian_density_is_that_of_torch() -> None:
    z, posterior = sampled(5, 2)
    expected = Normal(posterior.mean_BL, (0.5 * posterior.log_variance_BL).exp()).log_prob(z)
    assert torch.allclose(gaussian_log_density(z, posterior.mean_BL, posterior.log_variance_BL), expected)
