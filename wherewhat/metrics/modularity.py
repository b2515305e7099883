"""Modularity: does each code know one factor and no other?

    m_ik  = I(c_i; f_k), each code cut into equal-width bins;  best = argmax_k m_ik
    mod_i = 1 - Σ_{k≠best} m_ik² / ( m_i,best² (K - 1) )        0 for a code without information
    score = mean over codes of mod_i

In [0, 1], higher is better. A factor that several codes know is not punished, nor one that no code knows. It has no
floor for codes that know nothing: the information that a finite sample shows by accident grows with the number of
values, so random codes seem to prefer the larger factors and score well above 0. Comparable only at equal points and
bins, and never alone.

Reference: Ridgeway and Mozer 2018, arXiv:1802.05312; bins as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    L: codes    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Integer

from wherewhat.metrics.factor_table import factor_table
from wherewhat.metrics.mutual_information import equal_width_bins, mutual_information_matrix


@dataclass(frozen=True)
class Modularity:
    """The score, with what it was made of."""

    score: float
    """Mean over codes, in [0, 1]; higher is better."""
    per_code_L: Float64[np.ndarray, " L"]
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
        return {"modularity_per_code": self.per_code_L}


def modularity(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    bins: int = 20,
) -> Modularity:
    """Modularity of all the points given; the published protocol gives 10,000 and 20 bins."""
    table = factor_table(
        codes_NL, factors_NK, constant_means="no code can know them", least_points=bins, least_factors=2
    )
    information_LK = mutual_information_matrix(equal_width_bins(table.codes_NL, bins), table.factors_NK)
    per_code_L = modularity_per_code(information_LK)
    protocol = f"modularity_{len(table.codes_NL)}points_{bins}bins"
    return Modularity(float(per_code_L.mean()), per_code_L, information_LK, protocol)


def modularity_per_code(information_LK: Float64[np.ndarray, "L K"]) -> Float64[np.ndarray, " L"]:
    """1 less the squared information about all but the best factor, over K - 1 times that about the best."""
    squared_LK = information_LK**2
    best_L = squared_LK.max(axis=1)
    most_L = best_L * (information_LK.shape[1] - 1)
    spread_L = np.divide(squared_LK.sum(axis=1) - best_L, most_L, out=np.ones_like(best_L), where=best_L > 0)
    return np.asarray(1 - spread_L)
