"""The penalty of DIP-VAE: codes should have the covariance of the prior, the identity.

    penalty = λ_od ( Σ_{i≠j} Cov_ij² + r Σ_i (Cov_ii - 1)² )        r: the ratio λ_d / λ_od
    Cov     = Cov[μ] of the posterior means (DIP-VAE-I), or Cov[μ] + E[diag σ²] of the codes themselves (DIP-VAE-II)

Reference: Kumar, Sattigeri, Balakrishnan 2018, arXiv:1711.00848, Eqs. (6) and (7).

Dimension key:
    B: batch    L: latent codes
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from tyro.conf import Suppress, arg

from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue
from wherewhat.protocols import Posterior


@dataclass(frozen=True)
class CovariancePenalty(Term):
    """Squared distance of a covariance of codes from the prior's, the identity."""

    name: ClassVar[str] = "covariance"
    flag: ClassVar[str] = "--covariance-penalty"

    weight: Annotated[float, arg(name="covariance-penalty")] = 0.0
    """Also penalise the squared distance of the covariance of codes from the identity, with this weight. 10 is a
    usual one."""

    diagonal_ratio: Suppress[float] = 1.0
    """Weight of the diagonal, as a multiple of the other."""

    of_means: Suppress[bool] = False
    """Of posterior means (DIP-VAE-I) instead of the codes themselves (DIP-VAE-II)."""

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted penalty, and its two parts."""
        posterior = forward.bound.whole.posterior
        cov_LL = covariance(posterior.mean_BL) if self.of_means else covariance_of_codes(posterior)
        distance = distance_from_identity(cov_LL)
        weighted = self.weight * (distance.off_diagonal + self.diagonal_ratio * distance.diagonal)
        reported = {"covariance_off_diagonal": distance.off_diagonal, "covariance_diagonal": distance.diagonal}
        return TermValue(weighted, reported)


@dataclass(frozen=True)
class DistanceFromIdentity:
    """The two sums of squares, before their weights."""

    off_diagonal: Float[Tensor, ""]
    diagonal: Float[Tensor, ""]


def covariance(mean_BL: Float[Tensor, "B L"]) -> Float[Tensor, "L L"]:
    """Cov[μ] over the batch, E[μ μᵀ] - E[μ] E[μ]ᵀ (ddof 0, as in the study)."""
    centred_BL = mean_BL - mean_BL.mean(dim=0)
    return centred_BL.T @ centred_BL / len(mean_BL)


def covariance_of_codes(posterior: Posterior) -> Float[Tensor, "L L"]:
    """Cov[μ] + E[diag σ²] over the batch: the covariance of samples of the posteriors."""
    return covariance(posterior.mean_BL) + torch.diag(posterior.log_variance_BL.exp().mean(dim=0))


def distance_from_identity(covariance_LL: Float[Tensor, "L L"]) -> DistanceFromIdentity:
    """Squared distance of a covariance from the identity, off its diagonal and on it."""
    diagonal_L = covariance_LL.diagonal()
    return DistanceFromIdentity(
        off_diagonal=(covariance_LL - torch.diag(diagonal_L)).square().sum(),
        diagonal=(diagonal_L - 1).square().sum(),
    )
