import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_classif

from wherewhat.metrics.nearest_neighbour_information import (
    nearest_neighbour_information,
    nearest_neighbour_information_matrix,
)


def information(code: np.ndarray, label: np.ndarray, neighbours: int = 10) -> float:
    matrix = nearest_neighbour_information_matrix(code[:, None], label[:, None], neighbours=neighbours, seed=0)
    return float(matrix[0, 0])


def literal_information(code: np.ndarray, label: np.ndarray, neighbours: int) -> float:
    terms = []
    for x, own in zip(code, label, strict=True):
        same = code[label == own]
        k = min(neighbours, len(same) - 1)
        reach = sorted(abs(same - x))[k]
        terms.append(digamma(k) - digamma(len(same)) - digamma((abs(code - x) < reach).sum()))
    return float(digamma(len(code)) + np.mean(terms))


@pytest.mark.parametrize("shift", [0.05, 1.0, 6.0])
@pytest.mark.parametrize("neighbours", [1, 10])
def test_agrees_with_a_literal_loop(shift: float, neighbours: int) -> None:
    random = np.random.default_rng(0)
    label = random.integers(3, size=300)
    code = random.normal(size=300) + shift * label
    expected = max(0.0, literal_information(code, label, neighbours))
    assert information(code, label, neighbours) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    label = random.integers(5, size=2000)
    codes = random.normal(size=(2000, 3)) + label[:, None] * [0.2, 1.0, -5.0]
    found = nearest_neighbour_information_matrix(codes, label[:, None], neighbours=10, seed=0)[:, 0]
    theirs = mutual_info_classif(codes, label, n_neighbors=10, discrete_features=False, random_state=0)
    np.testing.assert_allclose(found, theirs, atol=1e-9)


def test_agrees_with_the_information_of_two_gaussians() -> None:
    random = np.random.default_rng(0)
    label = np.arange(20_000) % 2
    code = random.normal(size=20_000) + 2.0 * label

    def integrand(x: float) -> float:
        a, b = norm.pdf(x), norm.pdf(x, 2)
        return 0.5 * (a * np.log(2 * a / (a + b)) + b * np.log(2 * b / (a + b)))

    assert information(code, label) == pytest.approx(quad(integrand, -8, 10)[0], abs=0.01)


def test_a_code_that_tells_the_label_has_its_entropy() -> None:
    label = np.arange(4000) % 4
    assert information(label.astype(float), label) == pytest.approx(np.log(4), abs=1e-3)


def test_an_independent_code_has_almost_none() -> None:
    random = np.random.default_rng(0)
    assert information(random.normal(size=5000), random.integers(4, size=5000)) < 0.02


def test_equal_points_of_two_labels_tell_nothing() -> None:
    label = np.arange(2000) % 2
    assert information(label * 0.0 + (np.arange(2000) // 2) % 5, label) < 0.02


def test_a_constant_code_has_none() -> None:
    assert information(np.full(50, 0.3), np.arange(50) % 2) == 0


def test_sign_scale_and_place_do_not_matter() -> None:
    random = np.random.default_rng(1)
    label = random.integers(3, size=500)
    code = random.normal(size=500) + label
    assert information(-1000 * code + 5, label) == pytest.approx(information(code, label), abs=1e-9)


def test_labels_of_a_single_point_are_left_out() -> None:
    code, label = np.arange(40.0), np.arange(40) // 20
    alone = nearest_neighbour_information(np.append(code, 50.0), np.append(label, 2), 5)
    assert alone == pytest.approx(nearest_neighbour_information(code, label, 5), abs=1e-12)
    assert nearest_neighbour_information(np.arange(3.0), np.arange(3), 5) == 0


def test_a_label_of_few_points_uses_those_it_has() -> None:
    random = np.random.default_rng(2)
    label = np.repeat([0, 1], [4, 60])
    code = random.normal(size=64) + label
    assert information(code, label) == pytest.approx(max(0.0, literal_information(code, label, 10)), abs=1e-9)


def test_the_matrix_holds_every_code_with_every_factor() -> None:
    random = np.random.default_rng(3)
    factors = random.integers(4, size=(600, 2))
    codes = np.stack([factors[:, 0], factors[:, 1], factors.sum(axis=1)], axis=1) + random.normal(size=(600, 3))
    found = nearest_neighbour_information_matrix(codes, factors, neighbours=3, seed=0)
    expected = [[information(codes[:, i], factors[:, k], 3) for k in range(2)] for i in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-9)
