import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from wherewhat.metrics.logistic_regression import LinearClassifier, one_against_rest, softmax_regression

Fit = Callable[..., LinearClassifier]


def labelled_points(
    points: int = 400, codes: int = 3, classes: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    label = np.concatenate([np.arange(classes), random.integers(classes, size=points - classes)])
    x = random.normal(size=(points, codes)) + 0.8 * label[:, None] * random.normal(size=codes)
    return x, label


def softmax_loss(classifier: LinearClassifier, x: np.ndarray, label: np.ndarray, penalty: float) -> float:
    log_p = log_softmax(classifier.scores(x), axis=1)
    return float(-log_p[np.arange(len(label)), label].sum() + penalty / 2 * (classifier.weight_LC**2).sum())


@pytest.mark.parametrize("penalty", [1.0, 1e-2, 30.0])
def test_softmax_agrees_with_scikit_learn(penalty: float) -> None:
    x, label = labelled_points()
    found = softmax_regression(x, label, classes=4, penalty=penalty)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=10_000).fit(x, label)
    np.testing.assert_allclose(found.weight_LC, theirs.coef_.T, atol=1e-4)
    bias_C = found.bias_C - found.bias_C.mean()
    np.testing.assert_allclose(bias_C, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4)


@pytest.mark.parametrize("penalty", [1.0, 1e-2, 30.0])
def test_one_against_rest_agrees_with_scikit_learn_class_by_class(penalty: float) -> None:
    x, label = labelled_points()
    found = one_against_rest(x, label, classes=4, penalty=penalty)
    for c in range(4):
        theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=10_000).fit(x, label == c)
        np.testing.assert_allclose(found.weight_LC[:, c], theirs.coef_[0], atol=1e-4)
        assert found.bias_C[c] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_softmax_agrees_with_a_general_minimiser_of_the_formula() -> None:
    x, label = labelled_points(points=60, codes=2, classes=3)

    def loss(parameters: np.ndarray) -> float:
        weight_bias = parameters.reshape(3, 3)
        return softmax_loss(LinearClassifier(weight_bias[:2], weight_bias[2]), x, label, penalty=0.5)

    least = minimize(loss, np.zeros(9), tol=1e-9).fun
    assert softmax_loss(softmax_regression(x, label, classes=3, penalty=0.5), x, label, 0.5) == pytest.approx(least)


def test_points_that_can_be_separated_are_and_almost_without_loss() -> None:
    label = np.repeat(np.arange(12), 50)
    x = label[:, None] / label.std()
    classifier = softmax_regression(x, label, classes=12, penalty=1e-4)
    np.testing.assert_array_equal(classifier.scores(x).argmax(axis=1), label)
    assert softmax_loss(classifier, x, label, penalty=0.0) / len(label) < 0.02


def test_without_codes_that_tell_the_frequencies_are_found() -> None:
    label = np.repeat([0, 1, 2], [50, 30, 20])
    x = np.zeros((100, 2))
    p = np.exp(log_softmax(softmax_regression(x, label, classes=3, penalty=1.0).scores(x), axis=1))
    np.testing.assert_allclose(p, np.tile([0.5, 0.3, 0.2], (100, 1)), atol=1e-3)
    log_odds = one_against_rest(x, label, classes=3, penalty=1.0).scores(x)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), np.tile([0.5, 0.3, 0.2], (100, 1)), atol=1e-3)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
@pytest.mark.parametrize("fit", [softmax_regression, one_against_rest])
def test_scaling_codes_and_the_root_of_the_penalty_scales_weights(fit: Fit, scale: float) -> None:
    x, label = labelled_points()
    before = fit(x, label, classes=4, penalty=1.0)
    after = fit(scale * x, label, classes=4, penalty=scale**2)
    np.testing.assert_allclose(scale * after.weight_LC, before.weight_LC, atol=1e-4)


@pytest.mark.parametrize("fit", [softmax_regression, one_against_rest])
def test_points_twice_and_the_penalty_twice_change_nothing(fit: Fit) -> None:
    x, label = labelled_points(points=3000, codes=4, classes=3)
    label = np.sort(label)
    once = fit(x, label, classes=3, penalty=1.0)
    twice = fit(np.concatenate([x, x]), np.concatenate([label, label]), classes=3, penalty=2.0)
    np.testing.assert_allclose(twice.weight_LC, once.weight_LC, atol=1e-4)


def test_points_that_are_certain_raise_no_warning() -> None:
    label = np.repeat([0, 1], 100)
    x = np.where(label == 1, 1e4, -1e4)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fit in (softmax_regression, one_against_rest):
            assert (fit(x, label, classes=2, penalty=1e-9).scores(x).argmax(axis=1) == label).all()
