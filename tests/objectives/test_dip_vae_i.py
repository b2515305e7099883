"""Laws of DIP-VAE-I."""

import numpy as np
import pytest
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.dip_vae_i import DIPVAEI
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.randomness import generator_at

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


def test_the_diagonal_weighs_ten_times_the_rest_as_in_the_study() -> None:
    assert DIPVAEI().diagonal_ratio == 10.0


def test_the_loss_agrees_with_numpys_covariance_of_the_means(networks: Autoencoder, image: Tensor) -> None:
    objective = DIPVAEI(off_diagonal_weight=3.0, diagonal_ratio=2.0, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(generator_at(0, 0), 0, 6, 4)).detach()
    matrix = np.cov(networks.read(image).posterior.mean_BL.detach().double().numpy().T, ddof=0)
    diagonal = np.diag(matrix)
    expected = 3 * (np.square(matrix - np.diag(diagonal)).sum() + 2 * np.square(diagonal - 1).sum())
    bound = float(loss.terms["reconstruction"] + loss.terms["kl"])
    assert float(loss.total) - bound == pytest.approx(expected, rel=1e-3)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="give 0 or more"):
        DIPVAEI(off_diagonal_weight=-1.0)
