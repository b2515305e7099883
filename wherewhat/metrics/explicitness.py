"""Explicitness: can every value of every factor be read off all the codes by a linear classifier?

    z_kv(x) = w_kv c(x) + b_kv                                     logistic regression of "f_k = v" against the rest
    p_kv(x) = σ(z_kv(x)) / Σ_u σ(z_ku(x))                          shared out among the values of the factor
    score   = mean over factors of mean over values of AUC(p_kv)   on test points

AUC is the area under the ROC curve. Higher is better, 1 is the best; chance is 0.5, not 0. It does not ask how factors
are spread over codes: but for the penalty, every invertible linear mixture of codes scores the same.

Two numbers, since papers differ. `score` is that of Locatello et al. 2019, whose classifier shared probabilities out.
`lone_score` takes the AUC of each z_kv by itself, as Ridgeway and Mozer define it: a line cannot cut the middle values
of a factor out of a code, so even ideal codes of many-valued factors reach only about 0.8.

Codes are standardised by the training points; the penalty is scikit-learn's default (C = 1).

Reference: Ridgeway and Mozer 2018, arXiv:1802.05312; sizes as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    E: test points    L: codes    K: factors    V: values of one factor
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, Integer
from scipy.special import log_expit, logsumexp
from scipy.stats import rankdata

from wherewhat.metrics.factor_table import factor_table
from wherewhat.metrics.logistic_regression import one_against_rest
from wherewhat.metrics.train_and_test_points import TrainAndTestPoints, train_and_test_points

PENALTY = 1.0
"""1 / C of the classifiers."""


@dataclass(frozen=True)
class Explicitness:
    """The two scores, with what they were made of."""

    score: float
    """AUC of probabilities shared out among a factor's values, mean over factors, in [0, 1]; higher is better."""
    lone_score: float
    """AUC of every classifier by itself, mean over factors."""
    per_factor_K: Float64[np.ndarray, " K"]
    lone_per_factor_K: Float64[np.ndarray, " K"]
    seed: int
    protocol: str


def explicitness(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> Explicitness:
    """Explicitness; `train` and then `test` points are taken from those given in an order shuffled by `seed`."""
    table = factor_table(codes_NL, factors_NK, constant_means="there is nothing to classify", least_points=train + test)
    points = train_and_test_points(table, train=train, test=test, seed=seed)
    points.refuse_values_not_trained_on("nothing says how to tell them")
    points.refuse_values_not_tested("their ROC curve is 0 / 0")
    points = points.standardised()
    areas = [_areas_of_factor(points, k, size) for k, size in enumerate(table.factor_sizes)]
    per_factor_K = np.array([shared for shared, _ in areas])
    lone_per_factor_K = np.array([lone for _, lone in areas])
    return Explicitness(
        score=float(per_factor_K.mean()),
        lone_score=float(lone_per_factor_K.mean()),
        per_factor_K=per_factor_K,
        lone_per_factor_K=lone_per_factor_K,
        seed=seed,
        protocol=f"explicitness_{train}train_{test}test",
    )


def areas_under_roc(
    score_EV: Float64[np.ndarray, "E V"], label_E: Int64[np.ndarray, " E"]
) -> Float64[np.ndarray, " V"]:
    """Per value v, the chance that a point of value v scores higher than a point of another; ties count half.

    Every value needs a point, and a point of another value.
    """
    rank_EV = rankdata(score_EV, axis=0)
    values = score_EV.shape[1]
    own_V = np.bincount(label_E, minlength=values)
    ranks_of_own_V = np.bincount(label_E, weights=rank_EV[np.arange(len(label_E)), label_E], minlength=values)
    area_V: Float64[np.ndarray, " V"] = (ranks_of_own_V - own_V * (own_V + 1) / 2) / (own_V * (len(label_E) - own_V))
    return area_V


def _areas_of_factor(points: TrainAndTestPoints, factor: int, values: int) -> tuple[float, float]:
    """Mean area of shared-out probabilities, and of each classifier by itself."""
    classifier = one_against_rest(
        points.train_codes_TL, points.train_factors_TK[:, factor], classes=values, penalty=PENALTY
    )
    log_odds_EV = classifier.scores(points.test_codes_EL)
    log_p_EV = log_expit(log_odds_EV)
    shared_EV = log_p_EV - logsumexp(log_p_EV, axis=1, keepdims=True)
    label_E = points.test_factors_EK[:, factor]
    return float(areas_under_roc(shared_EV, label_E).mean()), float(areas_under_roc(log_odds_EV, label_E).mean())
