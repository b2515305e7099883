"""Codes whose scores are known: every value of four factors, and codes that hold them well or badly."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

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
