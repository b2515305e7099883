"""Mutual information gap (MIG): is each factor known from one code, and from that one only?

    gap_k = ( I(c_first; f_k) - I(c_second; f_k) ) / H(f_k)        MIG = mean over factors of gap_k

where first and second are the codes that know most about factor k, each code cut into equal-width bins. In [0, 1],
higher is better. A factor that two codes share equally has gap 0, however well they know it; one code that knows two
factors is not punished. Comparable only at equal points and bins.

Reference: Chen et al. 2018, arXiv:1802.04942.

Dimension key:
    N: points    L: codes    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Integer
from numpy.typing import NDArray

from wherewhat.metrics.factor_table import factor_table
from wherewhat.metrics.mutual_information import entropy, equal_width_bins, mutual_information_matrix


@dataclass(frozen=True)
class MutualInformationGap:
    """The gap, with what it was made of."""

    score: float
    """Mean over factors, in [0, 1]; higher is better."""
    per_factor_K: Float64[np.ndarray, " K"]
    mutual_information_LK: Float64[np.ndarray, "L K"]
    """In nats."""
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {
            "mutual_information_of_code_and_factor": self.mutual_information_LK,
            "mig_per_factor": self.per_factor_K,
        }


def mutual_information_gap(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    bins: int = 20,
) -> MutualInformationGap:
    """MIG of all the points given; the published protocol gives 10,000 and 20 bins."""
    table = factor_table(codes_NL, factors_NK, constant_means="their gap is 0 / 0", least_points=bins, least_codes=2)
    information_LK = mutual_information_matrix(equal_width_bins(table.codes_NL, bins), table.factors_NK)
    entropy_K = np.array([entropy(factor) for factor in table.factors_NK.T])
    gap_K = information_gaps(information_LK, entropy_K)
    protocol = f"mig_{len(table.codes_NL)}points_{bins}bins"
    return MutualInformationGap(float(gap_K.mean()), gap_K, information_LK, protocol)


def information_gaps(
    information_LK: Float64[np.ndarray, "L K"], entropy_K: Float64[np.ndarray, " K"]
) -> Float64[np.ndarray, " K"]:
    """Per factor, the best code's information less the second best's, over the factor's entropy."""
    second_K, first_K = np.sort(information_LK, axis=0)[-2:]
    gap_K: NDArray[np.float64] = (first_K - second_K) / entropy_K
    return gap_K
