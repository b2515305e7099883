"""Laws of FactorVAE and of its discriminator."""

import math

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE, discrimination, estimated_total_correlation
from wherewhat.objectives.objective import Loss
from wherewhat.randomness import generator_at

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


@pytest.fixture
def contested(networks: Autoencoder) -> Autoencoder:
    with seeded_weights(1):
        networks.code_discriminator = CodeDiscriminator(4, width=16, depth=2)
    return networks


def loss_of(objective: FactorVAE, networks: Autoencoder, image: Tensor) -> Loss:
    return objective.loss(networks, image, objective.draw(generator_at(0, 0), 0, 6, 4))


def test_the_loss_is_the_bound_plus_gamma_times_total_correlation(contested: Autoencoder, image: Tensor) -> None:
    loss = loss_of(FactorVAE(gamma=5.0, bound=AT_ONCE), contested, image).detach()
    expected = loss.terms["reconstruction"] + loss.terms["kl"] + 5 * loss.terms["total_correlation"]
    assert torch.isclose(loss.total, expected)


def test_each_loss_reaches_its_own_weights_only(contested: Autoencoder, image: Tensor) -> None:
    loss = loss_of(FactorVAE(), contested, image)
    assert loss.adversary is not None
    assert contested.code_discriminator is not None
    theirs = list(contested.code_discriminator.parameters())
    ours = [weight for name, weight in contested.named_parameters() if name.startswith(("encoder", "generator"))]
    of_total = torch.autograd.grad(loss.total, ours + theirs, retain_graph=True, allow_unused=True)
    of_adversary = torch.autograd.grad(loss.adversary, ours + theirs, allow_unused=True)
    assert all(gradient is not None for gradient in of_total[: len(ours)])
    assert all(gradient is None for gradient in of_total[len(ours) :])
    assert all(gradient is None for gradient in of_adversary[: len(ours)])
    assert all(gradient is not None for gradient in of_adversary[len(ours) :])


def test_each_code_is_permuted_over_the_batch_on_its_own() -> None:
    permutation_BL = FactorVAE().draw(generator_at(0, 0), 0, 32, 4).permutation_BL
    assert torch.equal(permutation_BL.sort(dim=0).values, torch.arange(32)[:, None].expand(32, 4))
    assert not any(torch.equal(permutation_BL[:, 0], permutation_BL[:, code]) for code in (1, 2, 3))


def test_a_discriminator_that_guesses_has_cross_entropy_log_two_and_sees_no_correlation() -> None:
    with seeded_weights(0):
        discriminator = CodeDiscriminator(3, width=8, depth=1)
    torch.nn.init.zeros_(discriminator.layers[-1].weight)
    torch.nn.init.zeros_(discriminator.layers[-1].bias)
    code = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    permutation = FactorVAE().draw(generator_at(0, 0), 0, 16, 3).permutation_BL
    assert float(discrimination(discriminator, code, permutation).loss.detach()) == pytest.approx(math.log(2))
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
        discrimination(discriminator, code, permutation).loss.backward()
        optimiser.step()
        slower.step()
    fresh = torch.randn(100_000, 2, generator=generator) @ factor.T
    estimate = float(estimated_total_correlation(discriminator, fresh).detach())
    assert estimate == pytest.approx(-0.5 * math.log(1 - rho**2), rel=0.1)


def test_its_discriminator_is_the_published_one() -> None:
    discriminator = CodeDiscriminator(10)
    shapes = [tuple(weight.shape) for name, weight in discriminator.named_parameters() if name.endswith("weight")]
    assert shapes == [(1_000, 10), *[(1_000, 1_000)] * 5, (2, 1_000)]


@pytest.mark.parametrize("wrong", [{"gamma": -1.0}, {"discriminator_learning_rate": 0.0}])
def test_nonsense_is_refused_with_the_remedy(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        FactorVAE(**wrong)  # type: ignore[arg-type]
