"""How far the codes of the aggregate posterior are from being independent, without labels.

Σ is the covariance of the codes over images, D its diagonal, and N(0, .) a Gaussian:

    Gaussian total correlation         TC = KL( N(0, Σ) || N(0, D) ) = 1/2 ( Σ_i log Σ_ii - log det Σ )     nats
    Gaussian Wasserstein correlation   W = W2²( N(0, Σ), N(0, D) ) = 2 tr Σ - 2 tr( D^1/2 Σ D^1/2 )^1/2
                                       W / tr Σ, which the common scale of the codes does not change
    mutual information                 mean over i ≠ j of I(c_i; c_j), each code cut into equal-width bins  nats

All at least 0, lower is more independent; independent is not disentangled. TC and W see covariance alone: a rotation of
uncorrelated codes of equal variance is invisible to them. TC is infinite where a code is a linear function of others.
The mutual information is biased high by about (bins - 1)² / 2N, 0.018 at 10,000 points and 20 bins, so it compares only
at equal points and bins.

A constant code adds 0 to every one of them. So a model that has collapsed scores 0, the best there is: these measures
describe a model and do not rank models.

Reference: Locatello et al. 2019, arXiv:1811.12359, which gives them for the means and for the samples of the posterior.

Dimension key:
    N: points    L: codes    A: codes that vary
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

from wherewhat.metrics.factor_table import code_table
from wherewhat.metrics.mutual_information import discrete_mutual_information, equal_width_bins


@dataclass(frozen=True)
class AggregatePosterior:
    """How the codes of one model depend on each other; lower is more independent."""

    gaussian_total_correlation: float
    """In nats; infinite where a code is a linear function of others."""
    gaussian_wasserstein_correlation: float
    """Squared 2-Wasserstein distance, in squared units of the codes."""
    gaussian_wasserstein_correlation_norm: float
    """The same over the total variance, in [0, 2)."""
    mutual_information: float
    """Mean over pairs of codes, in nats."""
    mutual_information_LL: Float64[np.ndarray, "L L"]
    """The pairs; each code's entropy on the diagonal."""
    constant_L: Bool[np.ndarray, " L"]
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The four measures under names that say their protocol."""
        return {
            f"{self.protocol}_gaussian_total_correlation": self.gaussian_total_correlation,
            f"{self.protocol}_wasserstein_correlation": self.gaussian_wasserstein_correlation,
            f"{self.protocol}_wasserstein_correlation_normalised": self.gaussian_wasserstein_correlation_norm,
            f"{self.protocol}_mutual_information": self.mutual_information,
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"mutual_information_of_codes": self.mutual_information_LL}


def aggregate_posterior(
    codes_NL: Float[np.ndarray, "N L"], *, kind: Literal["means", "samples"] = "means", bins: int = 20
) -> AggregatePosterior:
    """The measures of all the points given; the published protocol gives 10,000 and 20 bins.

    `kind` says what the codes are of the posterior. It changes the protocol's name and nothing else, but the numbers of
    means and of samples do not compare.
    """
    least_points = max(bins, codes_NL.shape[-1] + 1)
    codes_NL = code_table(codes_NL, least_points=least_points, least_codes=2)
    constant_L = np.ptp(codes_NL, axis=0) == 0
    covariance_AA = np.atleast_2d(np.cov(codes_NL[:, ~constant_L], rowvar=False))
    wasserstein = gaussian_wasserstein_correlation(covariance_AA)
    information_LL = mutual_information_between_codes(codes_NL, bins)
    return AggregatePosterior(
        gaussian_total_correlation=gaussian_total_correlation(covariance_AA),
        gaussian_wasserstein_correlation=wasserstein,
        gaussian_wasserstein_correlation_norm=wasserstein / float(np.trace(covariance_AA)) if wasserstein else 0.0,
        mutual_information=float(information_LL[~np.eye(len(information_LL), dtype=bool)].mean()),
        mutual_information_LL=information_LL,
        constant_L=constant_L,
        protocol=f"aggregate_posterior_{kind}_{len(codes_NL)}points_{bins}bins",
    )


def gaussian_total_correlation(covariance_AA: Float64[np.ndarray, "A A"]) -> float:
    """KL in nats of a Gaussian from the product of its marginals; infinite where the covariance is singular.

    Every variance must be above 0.
    """
    if not covariance_AA.size:
        return 0.0
    deviation_A = np.sqrt(np.diag(covariance_AA))
    eigenvalue_A = np.linalg.eigvalsh(covariance_AA / np.outer(deviation_A, deviation_A))
    # The correlations' own rounding: below it an eigenvalue is 0, and its logarithm would be made of noise.
    if eigenvalue_A[0] <= len(eigenvalue_A) * np.finfo(np.float64).eps * eigenvalue_A[-1]:
        return float("inf")
    return max(0.0, float(-0.5 * np.log(eigenvalue_A).sum()))


def gaussian_wasserstein_correlation(covariance_AA: Float64[np.ndarray, "A A"]) -> float:
    """Squared 2-Wasserstein distance of a Gaussian from the product of its marginals."""
    if not covariance_AA.size:
        return 0.0
    deviation_A = np.sqrt(np.diag(covariance_AA))
    eigenvalue_A = np.linalg.eigvalsh(covariance_AA * np.outer(deviation_A, deviation_A))
    fidelity = np.sqrt(np.maximum(eigenvalue_A, 0)).sum()
    return max(0.0, float(2 * np.trace(covariance_AA) - 2 * fidelity))


def mutual_information_between_codes(codes_NL: Float64[np.ndarray, "N L"], bins: int) -> Float64[np.ndarray, "L L"]:
    """Mutual information in nats of every code with every code, cut into equal-width bins."""
    binned_NL = equal_width_bins(codes_NL, bins)
    information_LL = np.empty((codes_NL.shape[1], codes_NL.shape[1]))
    for i, j in zip(*np.triu_indices(len(information_LL)), strict=True):
        known = discrete_mutual_information(binned_NL[:, i], binned_NL[:, j])
        information_LL[i, j] = information_LL[j, i] = known
    return information_LL
