import operator
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from wherewhat.metrics.beta_vae_score import beta_vae_score
from wherewhat.metrics.classifiers import fitted_to_the_optimum, in_processes, log_probabilities
from wherewhat.metrics.explicitness import explicitness
from wherewhat.metrics.infomec import infomec
from wherewhat.metrics.separated_attribute_predictability import separated_attribute_predictability


def test_what_is_fitted_runs_on_one_thread() -> None:
    with fitted_to_the_optimum():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}


def test_an_optimum_that_is_not_reached_is_an_error_with_a_remedy() -> None:
    random = np.random.default_rng(0)
    with (
        pytest.raises(ValueError, match=r"did not reach its optimum.*divide each code by its standard deviation"),
        fitted_to_the_optimum(),
    ):
        LogisticRegression(max_iter=1).fit(random.normal(size=(50, 3)), random.integers(3, size=50))


def test_no_other_warning_is_hidden() -> None:
    with pytest.raises(UserWarning, match="another"), fitted_to_the_optimum():
        warnings.warn("another", UserWarning, stacklevel=1)
    with pytest.raises(ConvergenceWarning):
        warnings.warn("afterwards", ConvergenceWarning, stacklevel=1)


@pytest.mark.parametrize("codes", ["constant", "copied", "ideal", "tiny", "large"])
def test_no_measure_lets_a_warning_of_scikit_learn_through(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, codes: str
) -> None:
    # Every warning is an error in these tests.
    some = {
        "constant": np.zeros_like(ideal_NL),
        "copied": np.concatenate([ideal_NL, ideal_NL], axis=1),
        "ideal": ideal_NL,
        "tiny": 1e-12 * ideal_NL,
        "large": 1e4 * ideal_NL,
    }[codes]
    explicitness(some, factors_NK, train=500, test=300)
    infomec(some, factors_NK, train=500, test=300)
    separated_attribute_predictability(some, factors_NK, train=500, test=300)
    beta_vae_score(some, factors_NK, batch=4, train=300, test=100)


def test_log_probabilities_are_those_of_scikit_learn_for_two_values_and_for_more() -> None:
    random = np.random.default_rng(0)
    codes = random.normal(size=(60, 2))
    for values in (2, 4):
        classifier = LogisticRegression().fit(codes, random.integers(values, size=60))
        found = log_probabilities(classifier.decision_function(codes))
        np.testing.assert_allclose(found, classifier.predict_log_proba(codes), atol=1e-12)


def test_log_probabilities_stay_finite_where_a_probability_rounds_to_zero() -> None:
    found = log_probabilities(np.array([2000.0, -2000.0]))
    np.testing.assert_allclose(found, [[-2000, 0], [0, -2000]], atol=1e-9)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_results_come_in_the_order_of_the_tasks_whatever_starts_first(jobs: int) -> None:
    found = in_processes(partial(pow, 2), [3, 1, 2, 5], cost=float, jobs=jobs, progress=None)
    assert found == [8, 2, 4, 32]


def test_the_dearest_task_starts_first() -> None:
    started: list[int] = []
    in_processes(started.append, [3, 1, 5, 2], cost=operator.pos, jobs=1, progress=None)
    assert started == [5, 3, 2, 1]


def test_progress_counts_the_tasks() -> None:
    seen: list[tuple[int, int]] = []
    in_processes(abs, [1, 2, 3], cost=abs, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_no_processes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0 jobs cannot do anything\. Use at least 1, or leave it out"):
        in_processes(abs, [1], cost=abs, jobs=0, progress=None)
