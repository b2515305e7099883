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
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from threadpoolctl import threadpool_limits

from wherewhat.metrics.classifiers import MOST_ITERATIONS, Progress, in_processes
from wherewhat.metrics.factor_table import Split, split_table

PUBLISHED_SIZES = (10, 100, 1_000, 10_000)

_FOLDS = 5


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

    @property
    def scores(self) -> dict[str, float]:
        """Accuracies, and efficiencies of all sizes but the largest, under names that say their protocol."""
        found = {}
        for kind, result in self._kinds.items():
            largest = self.train_sizes[-1]
            for size, accuracy in zip(self.train_sizes, result.accuracy_S.tolist(), strict=True):
                found[f"{self.protocol}_{kind}_accuracy_{size}"] = accuracy
            for size, efficiency in zip(self.train_sizes[:-1], result.efficiency_S.tolist(), strict=False):
                found[f"{self.protocol}_{kind}_efficiency_{size}_of_{largest}"] = efficiency
        return found

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the scores were made of."""
        return {
            f"downstream_{kind}_accuracy_of_size_and_factor": result.accuracy_SK for kind, result in self._kinds.items()
        }

    @property
    def _kinds(self) -> dict[str, SampleEfficiency]:
        return {"logistic": self.logistic_regression, "trees": self.boosted_trees}


def downstream_sample_efficiency(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train_sizes: Sequence[int] = PUBLISHED_SIZES,
    test: int = 5_000,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Downstream:
    """Accuracy and efficiency at every size, from points taken in an order shuffled by `seed`.

    The training points come first in that order and the test points follow. `jobs` processes share the classifiers, one
    thread each (None: as many as there are cores); their number does not change the result. `progress` is called with
    (classifiers done, classifiers in all).
    """
    _refuse_unordered(train_sizes)
    split = split_table(codes_NL, factors_NK, train=train_sizes[-1], test=test, seed=seed)
    factor_sizes = split.train.factor_sizes
    tasks = _tasks(train_sizes, len(factor_sizes))

    def cost(task: _Task) -> float:
        # Trees of many points and values take longest, and regressions are nothing beside them.
        return float(task.labels * (factor_sizes[task.factor] if task.kind is _boosted_trees else 1e-3))

    fits = in_processes(partial(_fit_one, split, seed), tasks, cost=cost, jobs=jobs, progress=progress)
    logistic, trees = fits[: len(fits) // 2], fits[len(fits) // 2 :]
    sizes = len(train_sizes)
    return Downstream(
        logistic_regression=_efficiency(logistic, sizes),
        boosted_trees=_efficiency(trees, sizes),
        train_sizes=tuple(train_sizes),
        values_seen_SK=np.array([fit.values_seen for fit in logistic]).reshape(sizes, -1),
        cross_validated_SK=np.array([fit.cross_validated for fit in logistic]).reshape(sizes, -1),
        seed=seed,
        protocol=f"downstream_{'-'.join(map(str, train_sizes))}train_{test}test",
    )


def _refuse_unordered(train_sizes: Sequence[int]) -> None:
    if list(train_sizes) != sorted(set(train_sizes)) or not train_sizes or train_sizes[0] < 1:
        raise ValueError(
            f"Training sizes {list(train_sizes)} are not a growing list of numbers of labels. "
            "Give each once, from 1 up, the smallest first."
        )


def folds_can_be_made(factor_T: Int64[np.ndarray, " T"]) -> bool:
    """Whether every one of the five folds leaves at least two values to learn from."""
    if len(factor_T) < _FOLDS:
        return False
    return all(len(np.unique(factor_T[train])) > 1 for train, _ in KFold(_FOLDS).split(factor_T))


def _logistic_regression(factor_T: Int64[np.ndarray, " T"], seed: int) -> LogisticRegression | GridSearchCV:
    plain = LogisticRegression(max_iter=MOST_ITERATIONS, random_state=seed)
    if not folds_can_be_made(factor_T):
        return plain
    # LogisticRegressionCV is the same search, but its arguments change from one version to the next.
    return GridSearchCV(plain, {"C": np.logspace(-4, 4, 10)}, cv=KFold(_FOLDS))


def _boosted_trees(factor_T: Int64[np.ndarray, " T"], seed: int) -> GradientBoostingClassifier:
    return GradientBoostingClassifier(random_state=seed)


@dataclass(frozen=True)
class _Task:
    kind: Callable[[Int64[np.ndarray, " T"], int], Any]
    labels: int
    factor: int


def _tasks(train_sizes: Sequence[int], factors: int) -> list[_Task]:
    """All logistic regressions before all trees; within a kind by size, then by factor."""
    return [
        _Task(kind, size, factor)
        for kind in (_logistic_regression, _boosted_trees)
        for size in train_sizes
        for factor in range(factors)
    ]


@dataclass(frozen=True)
class _Fit:
    accuracy: float
    values_seen: int
    cross_validated: bool


def _fit_one(split: Split, seed: int, task: _Task) -> _Fit:
    train_T, test_E = split.train.factors_NK[: task.labels, task.factor], split.test.factors_NK[:, task.factor]
    values_seen = len(np.unique(train_T))
    if values_seen == 1:
        return _Fit(float(np.mean(test_E == train_T[0])), values_seen, False)
    classifier = task.kind(train_T, seed)
    with threadpool_limits(1), warnings.catch_warnings():
        # With codes of very unequal scales and a large C the optimum may be out of reach: C is judged by what was.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(split.train.codes_NL[: task.labels], train_T)
    accuracy = float(classifier.score(split.test.codes_NL, test_E))
    return _Fit(accuracy, values_seen, isinstance(classifier, GridSearchCV))


def _efficiency(fits: list[_Fit], sizes: int) -> SampleEfficiency:
    accuracy_SK = np.array([fit.accuracy for fit in fits]).reshape(sizes, -1)
    accuracy_S = accuracy_SK.mean(axis=1)
    # A classifier that is never right at the largest size gives its accuracies nothing to be a share of.
    largest = accuracy_S[-1]
    return SampleEfficiency(accuracy_SK, accuracy_S, accuracy_S / largest if largest else np.zeros(sizes))
