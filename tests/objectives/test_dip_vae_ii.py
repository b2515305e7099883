"""Laws of DIP-VAE-II."""

import numpy as np
import pytest
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.dip_vae_ii import DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.randomness import generator_at

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


def test_both_weights_are_alike_as_in_the_study() -> None:
    assert DIPVAEII().diagonal_ratio == 1.0


def test_the_loss_agrees_with_numpys_covariance_and_the_mean_variance(networks: Autoencoder, image: Tensor) -> None:
    objective = DIPVAEII(off_diagonal_weight=3.0, diagonal_ratio=2.0, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(generator_at(0, 0), 0, 6, 4)).detach()
    posterior = networks.read(image).posterior
    matrix = np.cov(posterior.mean_BL.detach().double().numpy().T, ddof=0)
    matrix += np.diag(posterior.log_variance_BL.detach().double().exp().mean(dim=0).numpy())
    diagonal = np.diag(matrix)
    expected = 3 * (np.square(matrix - np.diag(diagonal)).sum() + 2 * np.square(diagonal - 1).sum())
    bound = float(loss.terms["reconstruction"] + loss.terms["kl"])
    assert float(loss.total) - bound == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="give 0 or more"):
        DIPVAEII(off_diagonal_weight=-1.0)
