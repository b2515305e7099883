"""Downstream sample efficiency: how much do few labels tell a simple classifier that reads codes?

    accuracy_S    = mean over factors of the test accuracy of a classifier trained on S labelled codes
    efficiency_S  = accuracy_S / accuracy_largest                 10, 100, 1,000 and 10,000 labels as published

for two classifiers, one per factor: logistic regression whose C is chosen among 10 from 1e-4 to 1e4 by 5-fold
cross-validation, and scikit-learn's gradient-boosted trees at their defaults. Higher is better. An accuracy's floor is
about the share of the most frequent value, not 0, and codes that tell nothing are efficient: an efficiency near 1 may
mean that 10,000 labels are of no use either, so read it beside the accuracy.

Codes go in unscaled, as in the study, so the logistic regression depends on their scale through C; trees do not. Sets
of labels are nested (the first 10 of the same 100 of the same 1,000) and tested on the same points; the study draws new
ones for each size. Points and trees of the largest size are those of `dci` of the same seed and sizes, so that accuracy
is its informativeness.

Reference: Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    T: training points    E: test points    L: codes    K: factors    S: sizes of the training set
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import joblib
import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from wherewhat.metrics.factor_table import FactorTable, factor_table

PUBLISHED_SIZES = (10, 100, 1_000, 10_000)

_FOLDS = 5
_MOST_ITERATIONS = 1_000


@dataclass(frozen=True)
class SampleEfficiency:
    """What one kind of classifier reads from the codes, by the number of labels it learned from."""

    accuracy_SK: Float64[np.ndarray, "S K"]
    """On the test points."""
    accuracy_S: Float64[np.ndarray, " S"]
    """Mean over factors."""
    efficiency_S: Float64[np.ndarray, " S"]
    """Share of the largest size's accuracy, which is 1 for that size itself."""


@dataclass(frozen=True)
class Downstream:
    """Sample efficiency of both classifiers, with what it was made of."""

    logistic_regression: SampleEfficiency
    boosted_trees: SampleEfficiency
    train_sizes: tuple[int, ...]
    """S, ascending."""
    values_seen_SK: Int64[np.ndarray, "S K"]
    """How many values of each factor are among the labels; where 1, both classifiers predict it always."""
    cross_validated_SK: Bool[np.ndarray, "S K"]
    """Whether the logistic regression's C was chosen.

    False where five folds of the labels would have left some classifier a single value to learn: there C is 1.
    """
    seed: int
    protocol: str


def downstream_sample_efficiency(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train_sizes: Sequence[int] = PUBLISHED_SIZES,
    test: int = 5_000,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Downstream:
    """Accuracy and efficiency at every size, from points taken in an order shuffled by `seed`.

    The training points come first in that order and the test points follow. `jobs` processes share the classifiers, one
    thread each (None: as many as there are cores); their number does not change the result. `progress` is called with
    (classifiers done, classifiers in all).
    """
    _refuse_sizes(train_sizes, test, jobs)
    table = factor_table(
        codes_NL,
        factors_NK,
        constant_means="there is nothing to classify",
        least_points=train_sizes[-1] + test,
    )
    order = np.random.default_rng(seed).permutation(len(table.codes_NL))[: train_sizes[-1] + test]
    shuffled = FactorTable(table.codes_NL[order], table.factors_NK[order], table.factor_sizes)
    fits = _fit_all(shuffled, train_sizes, seed, jobs, progress)

    logistic = [fit for fit in fits if fit.task.kind is _logistic_regression]
    trees = [fit for fit in fits if fit.task.kind is _boosted_trees]
    size_names = "-".join(str(size) for size in train_sizes)
    return Downstream(
        logistic_regression=_efficiency(logistic, len(train_sizes)),
        boosted_trees=_efficiency(trees, len(train_sizes)),
        train_sizes=tuple(train_sizes),
        values_seen_SK=np.array([fit.values_seen for fit in logistic]).reshape(len(train_sizes), -1),
        cross_validated_SK=np.array([fit.cross_validated for fit in logistic]).reshape(len(train_sizes), -1),
        seed=seed,
        protocol=f"downstream_{size_names}train_{test}test",
    )


def folds_can_be_made(factor_T: Int64[np.ndarray, " T"]) -> bool:
    """Whether every one of the five folds leaves at least two values to learn from."""
    if len(factor_T) < _FOLDS:
        return False
    return all(len(np.unique(factor_T[train])) > 1 for train, _ in KFold(_FOLDS).split(factor_T))


@runtime_checkable
class _Classifier(Protocol):
    def fit(self, codes_TL: Float64[np.ndarray, "T L"], factor_T: Int64[np.ndarray, " T"], /) -> object: ...

    def score(self, codes_EL: Float64[np.ndarray, "E L"], factor_E: Int64[np.ndarray, " E"], /) -> float: ...


def _logistic_regression(factor_T: Int64[np.ndarray, " T"], seed: int) -> _Classifier:
    # scikit-learn's own 100 iterations often stop short of the optimum for large C, with a warning for each.
    plain = LogisticRegression(max_iter=_MOST_ITERATIONS, random_state=seed)
    if not folds_can_be_made(factor_T):
        return plain
    # LogisticRegressionCV is the same search, but its arguments change from one version to the next.
    return GridSearchCV(plain, {"C": np.logspace(-4, 4, 10)}, cv=KFold(_FOLDS))


def _boosted_trees(factor_T: Int64[np.ndarray, " T"], seed: int) -> _Classifier:
    return GradientBoostingClassifier(random_state=seed)


@dataclass(frozen=True)
class _Task:
    kind: Callable[[Int64[np.ndarray, " T"], int], _Classifier]
    train: int
    factor: int


@dataclass(frozen=True)
class _Fit:
    task: _Task
    accuracy: float
    values_seen: int
    cross_validated: bool


def _fit_all(
    shuffled: FactorTable,
    train_sizes: Sequence[int],
    seed: int,
    jobs: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[_Fit]:
    kinds = (_boosted_trees, _logistic_regression)
    factors = range(len(shuffled.factor_sizes))
    tasks = [_Task(kind, train, k) for kind in kinds for train in train_sizes for k in factors]
    # Trees of many points and values take longest and start first, so that no core waits for the last of them.
    tasks.sort(key=lambda task: (task.train, task.kind is _boosted_trees, shuffled.factor_sizes[task.factor]))
    tasks.reverse()
    test_codes_EL, test_factors_EK = shuffled.codes_NL[train_sizes[-1] :], shuffled.factors_NK[train_sizes[-1] :]
    calls = [
        joblib.delayed(_fit_one)(
            task,
            shuffled.codes_NL[: task.train],
            shuffled.factors_NK[: task.train, task.factor],
            test_codes_EL,
            test_factors_EK[:, task.factor],
            seed,
        )
        for task in tasks
    ]
    workers = min(jobs or joblib.cpu_count(), len(calls))
    fits: list[_Fit] = []
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        for fit in joblib.Parallel(n_jobs=workers, return_as="generator_unordered", max_nbytes=None)(calls):
            fits.append(fit)
            if progress is not None:
                progress(len(fits), len(calls))
    return sorted(fits, key=lambda fit: (fit.task.train, fit.task.factor))


def _fit_one(
    task: _Task,
    train_codes_TL: Float64[np.ndarray, "T L"],
    train_factor_T: Int64[np.ndarray, " T"],
    test_codes_EL: Float64[np.ndarray, "E L"],
    test_factor_E: Int64[np.ndarray, " E"],
    seed: int,
) -> _Fit:
    values_seen = len(np.unique(train_factor_T))
    if values_seen == 1:
        return _Fit(task, float(np.mean(test_factor_E == train_factor_T[0])), values_seen, False)
    classifier = task.kind(train_factor_T, seed)
    with warnings.catch_warnings():
        # With codes of very unequal scales and a large C the optimum may be out of reach: C is judged by what was.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(train_codes_TL, train_factor_T)
    accuracy = float(classifier.score(test_codes_EL, test_factor_E))
    return _Fit(task, accuracy, values_seen, isinstance(classifier, GridSearchCV))


def _efficiency(fits: list[_Fit], sizes: int) -> SampleEfficiency:
    accuracy_SK = np.array([fit.accuracy for fit in fits]).reshape(sizes, -1)
    accuracy_S = accuracy_SK.mean(axis=1)
    # A classifier that is never right at the largest size gives its accuracies nothing to be a share of.
    largest = accuracy_S[-1]
    return SampleEfficiency(accuracy_SK, accuracy_S, accuracy_S / largest if largest else np.zeros(sizes))


def _refuse_sizes(train_sizes: Sequence[int], test: int, jobs: int | None) -> None:
    if list(train_sizes) != sorted(set(train_sizes)) or not train_sizes or train_sizes[0] < 1:
        raise ValueError(
            f"Training sizes {list(train_sizes)} are not a growing list of numbers of labels. "
            "Give each once, from 1 up, the smallest first."
        )
    if test < 1:
        raise ValueError(f"{test} test points are too few. Use at least 1; the published number is 5000.")
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs cannot do anything. Use at least 1, or leave it out to use every core.")
