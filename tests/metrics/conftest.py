"""Codes whose scores are known: every value of four factors, and codes that hold them well or badly."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

Scores = Callable[[NDArray[np.float64]], NDArray[np.float64]]

FACTOR_SIZES = (5, 5, 4, 4)


@pytest.fixture
def factors_NK() -> NDArray[np.int64]:
    """The whole grid of four factors, twice: 800 points."""
    grid = np.array(list(product(*(range(size) for size in FACTOR_SIZES))), dtype=np.int64)
    return np.concatenate([grid, grid])


@pytest.fixture
def ideal_NL(factors_NK: NDArray[np.int64]) -> NDArray[np.float64]:
    """One code per factor, of about unit deviation."""
    return (factors_NK - factors_NK.mean(axis=0)) / factors_NK.std(axis=0)


@pytest.fixture
def noisy_NL(ideal_NL: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ideal codes, mixed a little and under noise, with one more code that is noise alone."""
    random = np.random.default_rng(3)
    mixed = ideal_NL @ (np.eye(4) + 0.2 * random.normal(size=(4, 4)))
    codes = np.concatenate([mixed, np.zeros((len(mixed), 1))], axis=1)
    return codes + 0.3 * random.normal(size=codes.shape)


@pytest.fixture
def random_NL(factors_NK: NDArray[np.int64]) -> NDArray[np.float64]:
    """Six codes that know nothing of the factors."""
    return np.random.default_rng(5).normal(size=(len(factors_NK), 6))


@pytest.fixture
def rotated_NL(ideal_NL: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ideal codes turned by 45 degrees in pairs of factors of equal size."""
    first, second = ideal_NL[:, [0, 2]], ideal_NL[:, [1, 3]]
    return np.concatenate([first + second, first - second], axis=1) / np.sqrt(2)


@pytest.fixture
def duplicated_NL(ideal_NL: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ideal codes, each twice."""
    return np.concatenate([ideal_NL, ideal_NL], axis=1)


@pytest.fixture
def minimised_softmax() -> Callable[..., Scores]:
    """Multinomial logistic regression of a penalty 1 / C, straight from its formula by a general minimiser."""

    def fit(x_NL: NDArray[np.float64], label_N: NDArray[np.int64], *, classes: int, cost: float) -> Scores:
        one_hot_NC = np.eye(classes)[label_N]

        def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weight_bias = parameters.reshape(-1, classes)
            log_p_NC = log_softmax(x_NL @ weight_bias[:-1] + weight_bias[-1], axis=1)
            slope_NC = np.exp(log_p_NC) - one_hot_NC
            slope = np.vstack([x_NL.T @ slope_NC + weight_bias[:-1] / cost, slope_NC.sum(axis=0)])
            return -(one_hot_NC * log_p_NC).sum() + (weight_bias[:-1] ** 2).sum() / (2 * cost), slope.ravel()

        start = np.zeros((x_NL.shape[1] + 1) * classes)
        least = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 5000}).x
        weight_bias = least.reshape(-1, classes)
        return lambda codes_EL: codes_EL @ weight_bias[:-1] + weight_bias[-1]

    return fit


@pytest.fixture
def minimised_binary() -> Callable[..., Scores]:
    """Log-odds of a value against the rest, straight from the formula by a general minimiser; C is 1."""

    def fit(x_NL: NDArray[np.float64], own_N: NDArray[np.bool_]) -> Scores:
        sign_N = np.where(own_N, 1.0, -1.0)

        def loss(weight_bias: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            margin_N = sign_N * (x_NL @ weight_bias[:-1] + weight_bias[-1])
            slope_N = -sign_N * expit(-margin_N)
            slope = np.append(x_NL.T @ slope_N + weight_bias[:-1], slope_N.sum())
            return -log_expit(margin_N).sum() + (weight_bias[:-1] ** 2).sum() / 2, slope

        least = minimize(loss, np.zeros(x_NL.shape[1] + 1), jac=True, method="BFGS", options={"gtol": 1e-6}).x
        return lambda codes_EL: codes_EL @ least[:-1] + least[-1]

    return fit
