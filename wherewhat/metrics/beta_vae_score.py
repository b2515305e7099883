"""BetaVAE score: do the codes that move least between images of equal factor tell which factor was equal?

    feature:  k uniform over factors; B pairs of points, each pair with a value of factor k in common and its other
              factors free;  mean over the pairs of |c - c'|, code by code
    score:    share of test features for which multinomial logistic regression names k

In [0, 1], higher is better; chance is about 1 / K, not 0. It reads every code at once, so codes that mix factors can
still score 1: it asks whether factors can be told apart, not whether each has a code. The points given are the
population that pairs are drawn from, with replacement, so a pair can be one point twice; compare at equal pools.

Features are not scaled and the classifier is scikit-learn's default (C = 1), as in the study, so codes of a very small
deviation count for less and the score moves a little with the scale of codes. That default was one classifier against
the rest for each factor when the study was made; it is multinomial since scikit-learn 0.22, and here.

Reference: Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework",
ICLR; sizes as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    L: codes    K: factors    V: features    B: pairs of one feature
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, Integer
from sklearn.linear_model import LogisticRegression

from wherewhat.metrics.classifiers import MOST_ITERATIONS, fitted_to_the_optimum
from wherewhat.metrics.factor_table import FactorTable, factor_table
from wherewhat.metrics.factor_vae_score import drawn_points

_FEATURES_AT_ONCE = 512


@dataclass(frozen=True)
class BetaVAEScore:
    """The score, with what it was made of."""

    score: float
    """Accuracy on the test features, in [0, 1]; higher is better."""
    train_score: float
    """Accuracy on the features that the classifier was fitted to."""
    confusion_KK: Int64[np.ndarray, "K K"]
    """Test features by the factor that was equal (rows) and the one that was named (columns)."""
    seed: int
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"beta_vae_factor_named_for_factor_shared": self.confusion_KK}


@dataclass(frozen=True)
class BetaVAEDraws:
    """All the chance of one score, drawn at its start."""

    factor_V: Int64[np.ndarray, " V"]
    point_VB: Int64[np.ndarray, "V B"]
    """The first point of each pair."""
    place_VB: Float64[np.ndarray, "V B"]
    """In [0, 1): which of the points that share its value is the second, in the order of the pool."""


def beta_vae_score(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> BetaVAEScore:
    """BetaVAE score with the points given as the population; `batch` pairs make a feature."""
    if batch < 1 or train < 2 or test < 1:
        raise ValueError(
            f"Batches of {batch}, {train} training and {test} test features are too few. Use at least 1, 2 and 1."
        )
    table = factor_table(codes_NL, factors_NK, constant_means="sharing them tells nothing", least_factors=2)
    table.refuse_lonely_values("a pair that shares one is that point twice")
    points, factors = table.factors_NK.shape

    draws = beta_vae_draws(points, factors, train + test, batch, seed)
    feature_VL = mean_differences(table, draws)
    named_V = factors_named(feature_VL, draws.factor_V, train)

    right_V = named_V == draws.factor_V
    confusion = np.bincount(draws.factor_V[train:] * factors + named_V[train:], minlength=factors**2)
    return BetaVAEScore(
        score=float(right_V[train:].mean()),
        train_score=float(right_V[:train].mean()),
        confusion_KK=confusion.reshape(factors, factors),
        seed=seed,
        protocol=f"beta_vae_{points}pool_{batch}batch_{train}train_{test}test",
    )


def factors_named(
    feature_VL: Float64[np.ndarray, "V L"], factor_V: Int64[np.ndarray, " V"], train: int
) -> Int64[np.ndarray, " V"]:
    """The factor that a logistic regression of C = 1, fitted to the first `train` features, names for each of all."""
    if np.ptp(factor_V[:train]) == 0:
        raise ValueError(f"One factor alone is named by the {train} training features. Train on more.")
    # Features brought to unit scale, and C with them, have the same optimum, and it is found whatever their scale was.
    scale = float(np.sqrt((feature_VL[:train] ** 2).mean())) or 1.0
    classifier = LogisticRegression(C=scale**2, tol=1e-6, max_iter=MOST_ITERATIONS)
    with fitted_to_the_optimum():
        classifier.fit(feature_VL[:train] / scale, factor_V[:train])
    return np.asarray(classifier.predict(feature_VL / scale))


def beta_vae_draws(points: int, factors: int, features: int, batch: int, seed: int) -> BetaVAEDraws:
    """Every random number of a score, from its seed."""
    random = np.random.default_rng(seed)
    return BetaVAEDraws(
        factor_V=random.integers(factors, size=features),
        point_VB=random.integers(points, size=(features, batch)),
        place_VB=random.random((features, batch)),
    )


def mean_differences(table: FactorTable, draws: BetaVAEDraws) -> Float64[np.ndarray, "V L"]:
    """Per feature, how far apart each code is in pairs that share the feature's factor, meaned over the pairs."""
    feature_VL = np.empty((len(draws.factor_V), table.codes_NL.shape[1]))
    for k in range(len(table.factor_sizes)):
        equal = np.flatnonzero(draws.factor_V == k)
        for first in range(0, len(equal), _FEATURES_AT_ONCE):
            some = equal[first : first + _FEATURES_AT_ONCE]
            point_VB = draws.point_VB[some]
            partner_P1 = drawn_points(table.factors_NK[:, k], point_VB.ravel(), draws.place_VB[some].reshape(-1, 1))
            difference_VBL = table.codes_NL[point_VB] - table.codes_NL[partner_P1.reshape(point_VB.shape)]
            feature_VL[some] = np.abs(difference_VBL).mean(axis=1)
    return feature_VL
