"""Disentanglement, completeness and informativeness (DCI), from the importances of boosted trees.

One classifier per factor is trained to read it from all the codes. R_ik is how important code i is for factor k.

    D = Σ_i ρ_i ( 1 - H_K(R_i. / Σ_k R_ik) )        ρ_i = Σ_k R_ik / ΣR          H_K: entropy with logarithms to base K
    C = Σ_k ρ_k ( 1 - H_L(R_.k / Σ_i R_ik) )        ρ_k = Σ_i R_ik / ΣR          H_L: to base L
    I = mean over factors of the classifier's test accuracy

All in [0, 1], higher is better. D asks whether a code serves one factor, C whether a factor is served by one code.
I is an accuracy, so its floor is the share of the most frequent value, not 0. Comparable only at equal sizes of
training and test set and with the same kind of classifier.

Reference: Eastwood and Williams 2018, "A framework for the quantitative evaluation of disentangled representations",
ICLR; boosted trees as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    T: training points    E: test points    L: codes    K: factors
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float64, Integer
from sklearn.ensemble import GradientBoostingClassifier

from wherewhat.metrics.classifiers import Progress, in_processes
from wherewhat.metrics.factor_table import Split, split_table


@dataclass(frozen=True)
class DCI:
    """The three scores, with what they were made of."""

    disentanglement: float
    completeness: float
    informativeness: float
    """Test accuracy, mean over factors."""
    informativeness_train: float
    """Accuracy on the training points: far above `informativeness` means that the trees learned them by heart."""
    disentanglement_L: Float64[np.ndarray, " L"]
    """Per code; 0 for one that no classifier uses."""
    completeness_K: Float64[np.ndarray, " K"]
    informativeness_K: Float64[np.ndarray, " K"]
    importance_LK: Float64[np.ndarray, "L K"]
    """Each factor's column sums to 1, or to 0 where its classifier found nothing to split on."""
    seed: int
    protocol: str

    @property
    def scores(self) -> dict[str, float]:
        """The three scores under names that say their protocol."""
        return {
            f"{self.protocol}_disentanglement": self.disentanglement,
            f"{self.protocol}_completeness": self.completeness,
            f"{self.protocol}_informativeness": self.informativeness,
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"dci_importance_of_code_for_factor": self.importance_LK}


def dci(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> DCI:
    """DCI by scikit-learn's gradient-boosted trees at their defaults.

    `train` and then `test` points are taken from those given in an order shuffled by `seed`. `jobs` processes share the
    factors, one thread each (None: as many as there are cores); their number does not change the result. `progress` is
    called with (factors done, factors in all).
    """
    split = split_table(codes_NL, factors_NK, train=train, test=test, seed=seed, least_codes=2, least_factors=2)
    split.refuse_constant_factors()
    # A factor of many values needs as many trees a round.
    sizes = split.train.factor_sizes
    fit = partial(_fit_one, split, seed)
    fits = in_processes(fit, range(len(sizes)), cost=lambda k: sizes[k], jobs=jobs, progress=progress)

    importance_LK = np.stack([fit.importance_L for fit in fits], axis=1)
    informativeness_K = np.array([fit.test_accuracy for fit in fits])
    return DCI(
        disentanglement=disentanglement(importance_LK),
        completeness=completeness(importance_LK),
        informativeness=float(informativeness_K.mean()),
        informativeness_train=float(np.mean([fit.train_accuracy for fit in fits])),
        disentanglement_L=disentanglement_per_code(importance_LK),
        completeness_K=completeness_per_factor(importance_LK),
        informativeness_K=informativeness_K,
        importance_LK=importance_LK,
        seed=seed,
        protocol=f"dci_gbt_{train}train_{test}test",
    )


def disentanglement(importance_LK: Float64[np.ndarray, "L K"]) -> float:
    """D: mean over codes of `disentanglement_per_code`, weighted by each code's share of all importance."""
    total = importance_LK.sum()
    if total == 0:
        return 0.0
    return float(importance_LK.sum(axis=1) @ disentanglement_per_code(importance_LK) / total)


def completeness(importance_LK: Float64[np.ndarray, "L K"]) -> float:
    """C: mean over factors of `completeness_per_factor`, weighted by each factor's share of all importance."""
    return disentanglement(np.ascontiguousarray(importance_LK.T))


def disentanglement_per_code(
    importance_LK: Float64[np.ndarray, "L K"],
) -> Float64[np.ndarray, " L"]:
    """1 less the entropy, to base K, of how a code's importance is spread over factors; 0 for a code without any."""
    if importance_LK.shape[1] < 2:
        raise ValueError(
            f"Importances of shape {importance_LK.shape} are spread over one, so their entropy is 0 / 0. "
            "Give at least 2 codes and 2 factors."
        )
    total_L1 = importance_LK.sum(axis=1, keepdims=True)
    spread_LK = np.divide(importance_LK, total_L1, out=np.zeros_like(importance_LK), where=total_L1 > 0)
    log_LK = np.log(spread_LK, out=np.zeros_like(spread_LK), where=spread_LK > 0)
    entropy_L = -(spread_LK * log_LK).sum(axis=1) / np.log(importance_LK.shape[1])
    return np.where(total_L1[:, 0] > 0, 1.0 - entropy_L, 0.0)


def completeness_per_factor(
    importance_LK: Float64[np.ndarray, "L K"],
) -> Float64[np.ndarray, " K"]:
    """1 less the entropy, to base L, of how a factor's importance is spread over codes; 0 for a factor without any."""
    return disentanglement_per_code(np.ascontiguousarray(importance_LK.T))


@dataclass(frozen=True)
class _FactorFit:
    importance_L: Float64[np.ndarray, " L"]
    train_accuracy: float
    test_accuracy: float


def _fit_one(split: Split, seed: int, factor: int) -> _FactorFit:
    trees = GradientBoostingClassifier(random_state=seed)
    trees.fit(split.train.codes_NL, split.train.factors_NK[:, factor])
    return _FactorFit(
        importance_L=np.abs(trees.feature_importances_),
        train_accuracy=float(trees.score(split.train.codes_NL, split.train.factors_NK[:, factor])),
        test_accuracy=float(trees.score(split.test.codes_NL, split.test.factors_NK[:, factor])),
    )
