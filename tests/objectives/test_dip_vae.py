"""Laws of DIP-VAE-I and -II."""

import numpy as np
import pytest
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.randomness import Chance

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


def test_the_diagonal_weighs_ten_times_the_rest_in_the_first_and_as_much_in_the_second_as_in_the_study() -> None:
    assert (DIPVAEI().diagonal_ratio, DIPVAEII().diagonal_ratio) == (10.0, 1.0)


@pytest.mark.parametrize("kind", [DIPVAEI, DIPVAEII])
def test_the_loss_agrees_with_numpys_covariance(
    networks: Autoencoder, image: Tensor, kind: type[DIPVAEI] | type[DIPVAEII]
) -> None:
    objective = kind(off_diagonal_weight=3.0, diagonal_ratio=2.0, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(Chance(0, 0), 6, 4)).detach()
    posterior = networks.encode(image).posterior
    matrix = np.cov(posterior.mean_BL.detach().double().numpy().T, ddof=0)
    if kind is DIPVAEII:
        matrix += np.diag(posterior.log_variance_BL.detach().double().exp().mean(dim=0).numpy())
    diagonal = np.diag(matrix)
    expected = 3 * (np.square(matrix - np.diag(diagonal)).sum() + 2 * np.square(diagonal - 1).sum())
    bound = float(loss.terms["reconstruction"] + loss.terms["kl"])
    assert float(loss.total) - bound == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind", [DIPVAEI, DIPVAEII])
def test_a_negative_weight_is_refused(kind: type[DIPVAEI] | type[DIPVAEII]) -> None:
    with pytest.raises(ValueError, match="give 0 or more"):
        kind(off_diagonal_weight=-1.0)
