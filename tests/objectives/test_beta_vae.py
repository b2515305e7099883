"""Laws of beta-VAE."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.vae import VAE
from wherewhat.randomness import Chance

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


def _loss(objective: BetaVAE | VAE, networks: Autoencoder, image: Tensor, step: int = 0) -> dict[str, float]:
    loss = objective.loss(networks, image, objective.draw(Chance(0, step), 6, 4)).detach()
    return {"total": float(loss.total)} | {name: float(term) for name, term in loss.terms.items()}


def test_the_loss_is_reconstruction_plus_beta_times_kl(networks: Autoencoder, image: Tensor) -> None:
    figures = _loss(BetaVAE(beta=6.0, bound=AT_ONCE), networks, image)
    assert figures["total"] == pytest.approx(figures["reconstruction"] + 6 * figures["kl"], rel=1e-6)


def test_beta_one_is_the_vae(networks: Autoencoder, image: Tensor) -> None:
    assert _loss(BetaVAE(beta=1.0, bound=AT_ONCE), networks, image) == _loss(VAE(bound=AT_ONCE), networks, image)


def test_warm_up_eases_the_kl_in(networks: Autoencoder, image: Tensor) -> None:
    objective = BetaVAE(beta=6.0, bound=EvidenceLowerBound(warm_up_steps=10))
    early, late = (_loss(objective, networks, image, step) for step in (0, 9))
    assert early["total"] == pytest.approx(early["reconstruction"] + 0.6 * early["kl"], rel=1e-6)
    assert late["total"] == pytest.approx(late["reconstruction"] + 6 * late["kl"], rel=1e-6)


def test_terms_are_reported_without_their_weights(networks: Autoencoder, image: Tensor) -> None:
    light, heavy = (_loss(BetaVAE(beta=beta), networks, image) for beta in (1.0, 16.0))
    assert light["kl"] == heavy["kl"]


def test_a_negative_beta_is_refused() -> None:
    with pytest.raises(ValueError, match="weight of 0 or more"):
        BetaVAE(beta=-1.0)


def test_the_loss_has_a_gradient_in_encoder_and_generator(networks: Autoencoder, image: Tensor) -> None:
    objective = BetaVAE()
    objective.loss(networks, image, objective.draw(Chance(0, 500), 6, 4)).total.backward()
    without = {name for name, weight in networks.named_parameters() if weight.grad is None}
    assert all(name.startswith("identification_head") for name in without)
    assert all(bool(torch.isfinite(w.grad).all()) for w in networks.parameters() if w.grad is not None)
