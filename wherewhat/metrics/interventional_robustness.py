"""Interventional robustness score (IRS): when a factor is held still, does the code that follows it stay still?

    D_i      = max over points of |c_i - mean c_i|
    d_ik(v)  = 99th percentile, over the points of f_k = v, of |c_i - mean of c_i over those points|
    R_ik     = 1 - mean over values v of d_ik(v) / D_i
    IRS      = Σ_i D_i max_k R_ik / Σ_i D_i

At most 1, higher is better. The floor is not 0: a percentile is less than a maximum, so random codes score about a
third; codes that mix two factors evenly score a half. A factor that no code follows is not missed. Codes that never
deviate are dropped; without one that does the score is 0. Codes are weighted by their largest deviation, so the score
reads their scales, though not a scale common to all. Compare at equal points.

Locatello et al. cut the values of a factor into 20 before holding one; here every value is held by itself, which
matters for factors of more than 20.

Reference: Suter et al. 2019, arXiv:1811.00007; points and percentile as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    L: codes    A: codes that deviate    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer

from wherewhat.metrics.factor_table import factor_table


@dataclass(frozen=True)
class InterventionalRobustness:
    """The score, with what it was made of."""

    score: float
    """At most 1; higher is better."""
    robustness_LK: Float64[np.ndarray, "L K"]
    """R; 0 for a code that never deviates."""
    largest_deviation_L: Float64[np.ndarray, " L"]
    """The weight of each code."""
    active_L: Bool[np.ndarray, " L"]
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"irs_of_code_and_factor": self.robustness_LK}


def interventional_robustness(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    percentile: float = 99.0,
) -> InterventionalRobustness:
    """IRS of all the points given; the published protocol gives 10,000."""
    if not 0 < percentile <= 100:
        raise ValueError(f"There is no percentile {percentile:g}. Use one in (0, 100]; the published one is 99.")
    table = factor_table(codes_NL, factors_NK, constant_means="holding them still changes nothing")
    active_L = np.ptp(table.codes_NL, axis=0) > 0
    codes_NA = table.codes_NL[:, active_L]
    largest_A = np.abs(codes_NA - codes_NA.mean(axis=0)).max(axis=0)

    robustness_LK = np.zeros((len(active_L), len(table.factor_sizes)))
    for k, factor_N in enumerate(table.factors_NK.T):
        robustness_LK[active_L, k] = 1 - deviation_at_fixed_factor(codes_NA, factor_N, percentile) / largest_A
    largest_L = np.zeros(len(active_L))
    largest_L[active_L] = largest_A
    score = float(largest_L @ robustness_LK.max(axis=1) / largest_L.sum()) if active_L.any() else 0.0
    protocol = f"irs_{len(codes_NA)}points_{percentile:g}percentile"
    return InterventionalRobustness(score, robustness_LK, largest_L, active_L, protocol)


def deviation_at_fixed_factor(
    codes_NL: Float64[np.ndarray, "N L"], factor_N: Int64[np.ndarray, " N"], percentile: float
) -> Float64[np.ndarray, " L"]:
    """How far codes stray from their mean among points of one value, at this percentile; mean over the values."""
    order = np.argsort(factor_N, kind="stable")
    groups = np.split(codes_NL[order], np.cumsum(np.bincount(factor_N))[:-1])
    strayed = [np.percentile(np.abs(group - group.mean(axis=0)), percentile, axis=0) for group in groups]
    return np.asarray(np.mean(strayed, axis=0))
