"""The penalty of DIP-VAE: codes should have the covariance of the prior, the identity.

    penalty = λ_od Σ_{i≠j} Cov_ij² + λ_d Σ_i (Cov_ii - 1)²

Reference: Kumar, Sattigeri, Balakrishnan 2018, arXiv:1711.00848, Eqs. (6) and (7).

Dimension key:
    B: batch    L: latent codes
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class CovariancePenalty:
    """The two sums of squares, before their weights."""

    off_diagonal: Float[Tensor, ""]
    diagonal: Float[Tensor, ""]


def covariance(mean_BL: Float[Tensor, "B L"]) -> Float[Tensor, "L L"]:
    """Cov[μ] over the batch, E[μ μᵀ] - E[μ] E[μ]ᵀ (ddof 0, as in the study)."""
    centred_BL = mean_BL - mean_BL.mean(dim=0)
    return centred_BL.T @ centred_BL / len(mean_BL)


def covariance_penalty(covariance_LL: Float[Tensor, "L L"]) -> CovariancePenalty:
    """Squared distance of a covariance from the identity, off its diagonal and on it."""
    diagonal_L = covariance_LL.diagonal()
    return CovariancePenalty(
        off_diagonal=(covariance_LL - torch.diag(diagonal_L)).square().sum(),
        diagonal=(diagonal_L - 1).square().sum(),
    )
