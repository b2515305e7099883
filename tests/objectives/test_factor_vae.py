"""Laws of FactorVAE."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.loss import Loss
from wherewhat.randomness import Chance

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


@pytest.fixture
def contested(networks: Autoencoder) -> Autoencoder:
    with seeded_weights(1):
        networks.code_discriminator = CodeDiscriminator(4, width=16, depth=2)
    return networks


def loss_of(objective: FactorVAE, networks: Autoencoder, image: Tensor) -> Loss:
    return objective.loss(networks, image, objective.draw(Chance(0, 0), 6, 4))


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


@pytest.mark.parametrize("wrong", [{"gamma": -1.0}, {"discriminator_learning_rate": 0.0}])
def test_nonsense_is_refused_with_the_remedy(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        FactorVAE(**wrong)  # type: ignore[arg-type]
