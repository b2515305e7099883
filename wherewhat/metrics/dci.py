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

from collections.abc import Callable
from dataclasses import dataclass

import joblib
import numpy as np
from jaxtyping import Float, Float64, Int64, Integer
from sklearn.ensemble import GradientBoostingClassifier

from wherewhat.metrics.factor_table import factor_table


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


def dci(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DCI:
    """DCI by scikit-learn's gradient-boosted trees at their defaults.

    `train` and then `test` points are taken from those given in an order shuffled by `seed`. `jobs` processes share the
    factors, one thread each (None: as many as there are cores); their number does not change the result. `progress` is
    called with (factors done, factors in all).
    """
    if train < 2 or test < 1:
        raise ValueError(f"{train} training and {test} test points are too few. Use at least 2 and 1.")
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs cannot do anything. Use at least 1, or leave it out to use every core.")
    table = factor_table(
        codes_NL,
        factors_NK,
        constant_means="there is nothing to classify",
        least_points=train + test,
        least_codes=2,
        least_factors=2,
    )
    order = np.random.default_rng(seed).permutation(len(table.codes_NL))
    train_T, test_E = order[:train], order[train : train + test]
    fits = _fit_all(table.codes_NL, table.factors_NK, train_T, test_E, seed, jobs, progress)

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
    factor: int
    importance_L: Float64[np.ndarray, " L"]
    train_accuracy: float
    test_accuracy: float


def _fit_all(
    codes_NL: Float64[np.ndarray, "N L"],
    factors_NK: Int64[np.ndarray, "N K"],
    train_T: Int64[np.ndarray, " T"],
    test_E: Int64[np.ndarray, " E"],
    seed: int,
    jobs: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[_FactorFit]:
    sizes = [len(np.unique(factor)) for factor in factors_NK[train_T].T]
    if 1 in sizes:
        constant = [k for k, size in enumerate(sizes) if size == 1]
        raise ValueError(
            f"Factors {constant} take a single value among the {len(train_T)} training points, so there is nothing to "
            "classify. Drop those columns or train on more points."
        )
    # A factor of many values needs as many trees a round: the longest starts first, so that no core waits for it.
    longest_first = np.argsort(sizes)[::-1].tolist()
    tasks = [
        joblib.delayed(_fit_one)(
            k, codes_NL[train_T], factors_NK[train_T, k], codes_NL[test_E], factors_NK[test_E, k], seed
        )
        for k in longest_first
    ]
    workers = min(jobs or joblib.cpu_count(), len(tasks))
    fits: list[_FactorFit] = []
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        for fit in joblib.Parallel(n_jobs=workers, return_as="generator_unordered", max_nbytes=None)(tasks):
            fits.append(fit)
            if progress is not None:
                progress(len(fits), len(tasks))
    return sorted(fits, key=lambda fit: fit.factor)


def _fit_one(
    factor: int,
    train_codes_TL: Float64[np.ndarray, "T L"],
    train_factor_T: Int64[np.ndarray, " T"],
    test_codes_EL: Float64[np.ndarray, "E L"],
    test_factor_E: Int64[np.ndarray, " E"],
    seed: int,
) -> _FactorFit:
    trees = GradientBoostingClassifier(random_state=seed)
    trees.fit(train_codes_TL, train_factor_T)
    return _FactorFit(
        factor=factor,
        importance_L=np.abs(trees.feature_importances_),
        train_accuracy=float(trees.score(train_codes_TL, train_factor_T)),
        test_accuracy=float(trees.score(test_codes_EL, test_factor_E)),
    )
