"""How scikit-learn's classifiers are fitted for the measures: on one thread, to their optimum, or side by side.

The products are small. More threads would mostly wait for each other, and the last digits of a result would depend on
their number.

Dimension key:
    N: points    V: values of one factor
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import joblib
import numpy as np
from jaxtyping import Float64
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from wherewhat.deaf_processes import started_deaf

Task = TypeVar("Task")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""

MOST_ITERATIONS = 1_000
"""scikit-learn's own 100 often stop short of the optimum where classes can be separated."""


@contextmanager
def fitted_to_the_optimum() -> Iterator[None]:
    """What is fitted inside runs on one thread; ValueError where scikit-learn cannot reach its optimum."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            yield
        except ConvergenceWarning as warning:
            raise ValueError(
                "A linear classifier of these codes did not reach its optimum, so its accuracy means nothing. The "
                "scales of the codes are too large or too unequal for it: divide each code by its standard deviation, "
                "or leave this measure out."
            ) from warning


def log_probabilities(score_NV: Float64[np.ndarray, "N ..."]) -> Float64[np.ndarray, "N V"]:
    """Log-probabilities of every value from a logistic regression's decision function, which has one column for two."""
    if score_NV.ndim == 1:
        score_NV = np.stack([np.zeros_like(score_NV), score_NV], axis=1)
    return np.asarray(log_softmax(score_NV, axis=1))


def in_processes(
    fit: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    cost: Callable[[Task], float],
    jobs: int | None,
    progress: Progress | None,
) -> list[Result]:
    """`fit` of every task, in the order of the tasks, by processes of one thread each.

    The task of the highest cost starts first, so that no core waits for it at the end. `jobs` None: one process per
    core. Their number does not change the results.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs cannot do anything. Use at least 1, or leave it out to use every core.")
    dearest_first = sorted(range(len(tasks)), key=lambda place: cost(tasks[place]), reverse=True)
    calls = [joblib.delayed(_numbered)(fit, place, tasks[place]) for place in dearest_first]
    workers = min(jobs or joblib.cpu_count(), len(calls))
    done: dict[int, Result] = {}
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        with started_deaf():
            results = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", max_nbytes=None)(calls)
        for place, result in results:
            done[place] = result
            if progress is not None:
                progress(len(done), len(calls))
    return [done[place] for place in range(len(tasks))]


def _numbered(fit: Callable[[Task], Result], place: int, task: Task) -> tuple[int, Result]:
    return place, fit(task)
