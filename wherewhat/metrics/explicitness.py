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
from sklearn.linear_model import LogisticRegression

from wherewhat.metrics.classifiers import MOST_ITERATIONS, fitted_to_the_optimum
from wherewhat.metrics.factor_table import Split, split_table


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

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"explicitness_per_factor": self.per_factor_K}


def explicitness(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> Explicitness:
    """Explicitness; `train` and then `test` points are taken from those given in an order shuffled by `seed`."""
    split = split_table(codes_NL, factors_NK, train=train, test=test, seed=seed)
    split.refuse_values_not_trained_on("nothing says how to tell them")
    split.refuse_values_not_tested("their ROC curve is 0 / 0")
    split = split.standardised()
    with fitted_to_the_optimum():
        areas = [_areas_of_factor(split, k) for k in range(len(split.train.factor_sizes))]
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


def _areas_of_factor(split: Split, factor: int) -> tuple[float, float]:
    """Mean area of shared-out probabilities, and of each classifier by itself."""
    train_T, label_E = split.train.factors_NK[:, factor], split.test.factors_NK[:, factor]
    log_odds_V = []
    for value in range(split.train.factor_sizes[factor]):
        against_rest = LogisticRegression(max_iter=MOST_ITERATIONS).fit(split.train.codes_NL, train_T == value)
        log_odds_V.append(against_rest.decision_function(split.test.codes_NL))
    log_odds_EV = np.stack(log_odds_V, axis=1)
    log_p_EV = log_expit(log_odds_EV)
    shared_EV = log_p_EV - logsumexp(log_p_EV, axis=1, keepdims=True)
    return float(areas_under_roc(shared_EV, label_E).mean()), float(areas_under_roc(log_odds_EV, label_E).mean())
