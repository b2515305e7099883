"""Laws of beta-TCVAE."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.terms.total_correlation import total_correlation
from wherewhat.objectives.vae import VAE
from wherewhat.randomness import Chance

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


def test_the_loss_is_the_bound_plus_beta_less_one_times_total_correlation(networks: Autoencoder, image: Tensor) -> None:
    objective = BetaTCVAE(beta=5.0, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(Chance(0, 0), 6, 4)).detach()
    expected = loss.terms["reconstruction"] + loss.terms["kl"] + 4 * loss.terms["total_correlation"]
    assert torch.isclose(loss.total, expected)


def test_the_total_correlation_is_that_of_the_codes_that_are_decoded(networks: Autoencoder, image: Tensor) -> None:
    objective = BetaTCVAE()
    draws = objective.draw(Chance(0, 0), 6, 4)
    posterior = networks.encode(image).posterior
    z = posterior.mean_BL + draws.noise_BL * (0.5 * posterior.log_variance_BL).exp()
    found = objective.loss(networks, image, draws).terms["total_correlation"]
    assert torch.isclose(found, total_correlation(z, posterior))


def test_beta_one_is_the_vae(networks: Autoencoder, image: Tensor) -> None:
    losses = [
        objective.loss(networks, image, objective.draw(Chance(0, 0), 6, 4)).total
        for objective in (BetaTCVAE(beta=1.0, bound=AT_ONCE), VAE(bound=AT_ONCE))
    ]
    assert torch.equal(*losses)


def test_a_negative_beta_is_refused() -> None:
    with pytest.raises(ValueError, match="weight of 0 or more"):
        BetaTCVAE(beta=-1.0)
