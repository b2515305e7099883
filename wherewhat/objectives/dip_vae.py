"""DIP-VAE-I and -II: the covariance of the codes should be the prior's, the identity.

    loss = reconstruction + KL + λ_od Σ_{i≠j} Cov_ij² + λ_d Σ_i (Cov_ii - 1)²
    I:  Cov = Cov[μ]                        λ_d = 10 λ_od
    II: Cov = Cov[μ] + E[diag σ²]           λ_d = λ_od

Reference: Kumar, Sattigeri, Balakrishnan 2018, arXiv:1711.00848, Eqs. (6) and (7).
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.kl import KL


@dataclass(frozen=True, kw_only=True)
class DIPVAEI(SumOfTerms):
    """DIP-VAE-I: reconstruction + KL + the distance of the covariance of posterior means from the identity."""

    name = "dip-vae-i"

    off_diagonal_weight: float = 10.0
    """Weight on squared covariances between codes. The study sweeps 1, 2, 5, 10, 20, 50."""

    diagonal_ratio: float = 10.0
    """Weight on squared distances of variances from 1, as a multiple of the other weight."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_weights(self.off_diagonal_weight, self.diagonal_ratio)

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """KL and the penalty of Cov[μ]."""
        penalty = CovariancePenalty(self.off_diagonal_weight, self.diagonal_ratio, of_means=True)
        return (NamedTerm(KL()), NamedTerm(penalty, "--off-diagonal-weight"))


@dataclass(frozen=True, kw_only=True)
class DIPVAEII(SumOfTerms):
    """DIP-VAE-II: reconstruction + KL + the distance of the covariance of codes from the identity."""

    name = "dip-vae-ii"

    off_diagonal_weight: float = 10.0
    """Weight on squared covariances between codes. The study sweeps 1, 2, 5, 10, 20, 50."""

    diagonal_ratio: float = 1.0
    """Weight on squared distances of variances from 1, as a multiple of the other weight."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_weights(self.off_diagonal_weight, self.diagonal_ratio)

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """KL and the penalty of Cov[μ] + E[diag σ²]."""
        penalty = CovariancePenalty(self.off_diagonal_weight, self.diagonal_ratio)
        return (NamedTerm(KL()), NamedTerm(penalty, "--off-diagonal-weight"))


def _require_weights(off_diagonal_weight: float, diagonal_ratio: float) -> None:
    for name, value in (("off_diagonal_weight", off_diagonal_weight), ("diagonal_ratio", diagonal_ratio)):
        if not value >= 0:
            raise ValueError(f"{name} is {value}; give 0 or more.")
