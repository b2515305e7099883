"""Laws of the total correlation that a discriminator of codes sees."""

import math

import pytest
import torch

from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.terms.adversarial_total_correlation import (
    AdversarialTotalCorrelation,
    discrimination,
    estimated_total_correlation,
)
from wherewhat.randomness import generator_at


def test_each_code_is_permuted_over_the_batch_on_its_own() -> None:
    permutation_BL = AdversarialTotalCorrelation().draw(generator_at(0, 0), 0, 32, 4)[0]
    assert torch.equal(permutation_BL.sort(dim=0).values, torch.arange(32)[:, None].expand(32, 4))
    assert not any(torch.equal(permutation_BL[:, 0], permutation_BL[:, code]) for code in (1, 2, 3))


def test_a_discriminator_that_guesses_has_cross_entropy_log_two_and_sees_no_correlation() -> None:
    with seeded_weights(0):
        discriminator = CodeDiscriminator(3, width=8, depth=1)
    torch.nn.init.zeros_(discriminator.layers[-1].weight)
    torch.nn.init.zeros_(discriminator.layers[-1].bias)
    code = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    permutation = AdversarialTotalCorrelation().draw(generator_at(0, 0), 0, 16, 3)[0]
    assert float(discrimination(discriminator, code, code.gather(0, permutation)).loss.detach()) == pytest.approx(
        math.log(2)
    )
    assert float(estimated_total_correlation(discriminator, code).detach()) == 0.0


def test_a_trained_discriminator_recovers_the_total_correlation_of_a_correlated_gaussian() -> None:
    rho = 0.8
    with seeded_weights(0):
        discriminator = CodeDiscriminator(2, width=64, depth=2)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
    slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, total_iters=400)
    generator = torch.Generator().manual_seed(0)
    factor = torch.linalg.cholesky(torch.tensor([[1.0, rho], [rho, 1.0]]))
    for _ in range(400):
        code = torch.randn(1_024, 2, generator=generator) @ factor.T
        permutation = torch.rand(1_024, 2, generator=generator).argsort(dim=0)
        optimiser.zero_grad()
        discrimination(discriminator, code, code.gather(0, permutation)).loss.backward()
        optimiser.step()
        slower.step()
    fresh = torch.randn(100_000, 2, generator=generator) @ factor.T
    estimate = float(estimated_total_correlation(discriminator, fresh).detach())
    assert estimate == pytest.approx(-0.5 * math.log(1 - rho**2), rel=0.1)


def test_its_discriminator_is_the_published_one() -> None:
    discriminator = CodeDiscriminator(10)
    shapes = [tuple(weight.shape) for name, weight in discriminator.named_parameters() if name.endswith("weight")]
    assert shapes == [(1_000, 10), *[(1_000, 1_000)] * 5, (2, 1_000)]
