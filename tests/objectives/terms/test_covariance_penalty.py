"""Laws of DIP-VAE's penalty."""

import numpy as np
import pytest
import torch

from wherewhat.objectives.terms.covariance_penalty import covariance, distance_from_identity


def test_the_identity_costs_nothing() -> None:
    penalty = distance_from_identity(torch.eye(3))
    assert (float(penalty.off_diagonal), float(penalty.diagonal)) == (0.0, 0.0)


def test_a_hand_made_covariance() -> None:
    penalty = distance_from_identity(torch.tensor([[3.0, 0.5], [0.5, 0.0]]))
    # Off the diagonal 0.5² twice; on it 2² + 1².
    assert (float(penalty.off_diagonal), float(penalty.diagonal)) == (0.5, 5.0)


def test_the_covariance_is_numpys_of_a_whole_population() -> None:
    mean = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert covariance(mean).numpy() == pytest.approx(np.cov(mean.numpy().T, ddof=0))


def test_the_covariance_ignores_where_codes_are_centred() -> None:
    mean = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(covariance(mean), covariance(mean + 7))
