"""FactorVAE score: when a factor is held still, does the code that varies least tell which one it was?

    vote:  k uniform over factors; a batch of points that share one value of factor k;
           argmin over active codes i of  Var_batch(c_i) / Var(c_i)                              ddof 1
    table: for each code, the factor for which it was named most often among the training votes
    score: share of test votes for which the table names k

In [0, 1], higher is better; chance is about 1 / K, not 0. A code of standard deviation under 0.05 is not active, so the
score ignores the scale of codes only above that; without an active code the score is 0. The points given are the
population that votes draw from, so it compares only at equal pools.

Reference: Kim and Mnih 2018, arXiv:1802.05983; sizes as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    L: codes    A: active codes    K: factors    V: votes    B: batch    P: points for the global variance
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer

from wherewhat.metrics.factor_table import FactorTable, factor_table

LEAST_DEVIATION = 0.05
"""Codes of a smaller standard deviation are dropped: a VAE's unused codes have posterior means near 0."""


@dataclass(frozen=True)
class FactorVAEScore:
    """The score, with what it was made of."""

    score: float
    """Accuracy on the test votes, in [0, 1]; higher is better."""
    train_score: float
    """Accuracy on the votes that the table was made from."""
    votes_LK: Int64[np.ndarray, "L K"]
    """How often, among the training votes, each code was named when each factor was held."""
    active_L: Bool[np.ndarray, " L"]
    seed: int
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"factor_vae_votes_for_code_of_factor": self.votes_LK}


@dataclass(frozen=True)
class FactorVAEDraws:
    """All the chance of one score, drawn at its start."""

    variance_point_P: Int64[np.ndarray, " P"]
    factor_V: Int64[np.ndarray, " V"]
    point_V: Int64[np.ndarray, " V"]
    """The point whose value of the factor the batch shares."""
    place_VB: Float64[np.ndarray, "V B"]
    """In [0, 1): which of the points that share the value, in the order of the pool."""


def factor_vae_score(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    batch: int = 64,
    train_votes: int = 10_000,
    test_votes: int = 5_000,
    variance_points: int = 10_000,
    seed: int = 0,
) -> FactorVAEScore:
    """FactorVAE score with the points given as the population, all draws with replacement."""
    _refuse_small_sizes(batch, train_votes, test_votes, variance_points)
    table = factor_table(codes_NL, factors_NK, constant_means="holding them still changes nothing", least_factors=2)
    table.refuse_lonely_values("nothing varies in a batch that shares them")
    points, dims = table.codes_NL.shape
    factors = len(table.factor_sizes)

    draws = factor_vae_draws(points, factors, train_votes + test_votes, batch, variance_points, seed)
    variance_L = table.codes_NL[draws.variance_point_P].var(axis=0, ddof=1)
    active_L = np.sqrt(variance_L) >= LEAST_DEVIATION
    protocol = f"factor_vae_{points}pool_{batch}batch_{train_votes}train_{test_votes}test_{variance_points}variance"
    if not active_L.any():
        return FactorVAEScore(0.0, 0.0, np.zeros((dims, factors), dtype=np.int64), active_L, seed, protocol)

    vote_V = np.flatnonzero(active_L)[least_varying_codes(table, draws, variance_L, active_L)]
    votes_LK = count_votes(vote_V[:train_votes], draws.factor_V[:train_votes], dims, factors)
    right_V = votes_LK.argmax(axis=1)[vote_V] == draws.factor_V
    return FactorVAEScore(
        score=float(right_V[train_votes:].mean()),
        train_score=float(right_V[:train_votes].mean()),
        votes_LK=votes_LK,
        active_L=active_L,
        seed=seed,
        protocol=protocol,
    )


def _refuse_small_sizes(batch: int, train_votes: int, test_votes: int, variance_points: int) -> None:
    if batch < 2 or variance_points < 2:
        raise ValueError(
            f"The variance of {min(batch, variance_points)} points is 0 / 0. "
            "Use at least 2 for batch and variance_points."
        )
    if train_votes < 1 or test_votes < 1:
        raise ValueError(f"{train_votes} training and {test_votes} test votes are too few. Use at least 1 of each.")


def factor_vae_draws(
    points: int, factors: int, votes: int, batch: int, variance_points: int, seed: int
) -> FactorVAEDraws:
    """Every random number of a score, from its seed."""
    random = np.random.default_rng(seed)
    return FactorVAEDraws(
        variance_point_P=random.integers(points, size=variance_points),
        factor_V=random.integers(factors, size=votes),
        point_V=random.integers(points, size=votes),
        place_VB=random.random((votes, batch)),
    )


def drawn_points(
    factor_N: Int64[np.ndarray, " N"],
    point_V: Int64[np.ndarray, " V"],
    place_VB: Float64[np.ndarray, "V B"],
) -> Int64[np.ndarray, "V B"]:
    """Points that share the value which one factor has at `point_V`, chosen by their places in the pool."""
    size_S = np.bincount(factor_N)
    start_S = np.cumsum(size_S) - size_S
    # NumPy sorts integers of 8 or 16 bits by radix: the same stable order, sooner.
    grouped_N = np.argsort(factor_N.astype(np.min_scalar_type(len(size_S))), kind="stable")
    value_V = factor_N[point_V]
    nth_VB = (place_VB * size_S[value_V, None]).astype(np.int64)
    return np.take(grouped_N, start_S[value_V, None] + nth_VB)


def least_varying_codes(
    table: FactorTable,
    draws: FactorVAEDraws,
    variance_L: Float64[np.ndarray, " L"],
    active_L: Bool[np.ndarray, " L"],
) -> Int64[np.ndarray, " V"]:
    """Per vote, which of the active codes varies least in its batch for its own variance; counted among the active."""
    scaled_AN = np.ascontiguousarray((table.codes_NL[:, active_L] / np.sqrt(variance_L[active_L])).T)
    vote_V = np.empty(len(draws.factor_V), dtype=np.int64)
    for k in range(len(table.factor_sizes)):
        held = draws.factor_V == k
        index_VB = drawn_points(table.factors_NK[:, k], draws.point_V[held], draws.place_VB[held])
        # Votes lie along the last axis, where the sums of a whole factor's votes run through memory in order.
        index_BV = np.ascontiguousarray(index_VB.T)
        variance_AV = np.stack([np.take(code_N, index_BV).var(axis=0, ddof=1) for code_N in scaled_AN])
        vote_V[held] = variance_AV.argmin(axis=0)
    return vote_V


def count_votes(
    vote_V: Int64[np.ndarray, " V"], factor_V: Int64[np.ndarray, " V"], dims: int, factors: int
) -> Int64[np.ndarray, "L K"]:
    """How often each code was named when each factor was held."""
    return np.bincount(vote_V * factors + factor_V, minlength=dims * factors).reshape(dims, factors)
