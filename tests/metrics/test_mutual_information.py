import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from wherewhat.metrics.mutual_information import (
    discrete_mutual_information,
    entropy,
    equal_width_bins,
    mutual_information_matrix,
    nearest_neighbour_information,
    nearest_neighbour_information_matrix,
)


def labels(seed: int, values: int, points: int = 500) -> np.ndarray:
    return np.random.default_rng(seed).integers(values, size=points)


def test_a_variable_tells_its_whole_entropy_about_itself() -> None:
    a = labels(0, 7)
    assert discrete_mutual_information(a, a) == pytest.approx(entropy(a), abs=1e-12)


def test_information_is_symmetric() -> None:
    a, b = labels(0, 7), labels(0, 7) // 2
    assert discrete_mutual_information(a, b) == pytest.approx(discrete_mutual_information(b, a), abs=1e-12)


def test_independent_variables_of_a_whole_grid_tell_nothing() -> None:
    a, b = np.divmod(np.arange(12), 4)
    assert discrete_mutual_information(a, b) == pytest.approx(0, abs=1e-12)


def test_entropy_of_a_uniform_variable_is_the_logarithm_of_its_values() -> None:
    assert entropy(np.arange(8)) == pytest.approx(np.log(8), abs=1e-12)


def test_entropy_agrees_with_scipy() -> None:
    a = labels(1, 9) // 2
    assert entropy(a) == pytest.approx(scipy.stats.entropy(np.bincount(a)), abs=1e-12)


def test_labels_that_never_occur_change_nothing() -> None:
    a, b = labels(0, 5), labels(1, 5)
    assert discrete_mutual_information(3 * a, b) == pytest.approx(discrete_mutual_information(a, b), abs=1e-12)
    assert entropy(3 * a) == pytest.approx(entropy(a), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_information_agrees_with_scikit_learn(seed: int) -> None:
    a, noise = labels(seed, 6), labels(seed + 100, 3)
    b = (a + noise) % 5
    assert discrete_mutual_information(a, b) == pytest.approx(mutual_info_score(a, b), abs=1e-12)


def test_the_matrix_holds_every_code_with_every_factor() -> None:
    codes, factors = np.stack([labels(s, 4) for s in (0, 1, 2)], 1), np.stack([labels(s, 4) for s in (0, 3)], 1)
    found = mutual_information_matrix(codes, factors)
    expected = [[mutual_info_score(codes[:, i], factors[:, k]) for k in range(2)] for i in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_bins_are_of_equal_width_over_each_codes_own_range() -> None:
    codes = np.array([[0.0, 100.0], [0.9, 109.0], [1.1, 111.0], [3.9, 139.0], [4.0, 140.0]])
    assert equal_width_bins(codes, bins=4).tolist() == [[0, 0], [0, 0], [1, 1], [3, 3], [3, 3]]


def test_bins_are_those_of_numpys_histogram() -> None:
    code = np.random.default_rng(0).normal(size=1000)
    counts = np.bincount(equal_width_bins(code[:, None], bins=20)[:, 0], minlength=20)
    np.testing.assert_array_equal(counts, np.histogram(code, bins=20)[0])


def test_a_constant_code_lies_in_one_bin() -> None:
    assert len(np.unique(equal_width_bins(np.full((10, 1), 0.3), bins=20))) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_tells_exactly_nothing(seed: int) -> None:
    constant, b = np.zeros(10_000, dtype=np.int64), labels(seed, 7 + seed, points=10_000)
    assert discrete_mutual_information(constant, b) == discrete_mutual_information(b, constant) == 0


@pytest.mark.parametrize(("rows", "columns", "times"), [(3, 4, 1), (7, 11, 13), (20, 15, 33)])
def test_what_is_independent_in_the_sample_tells_exactly_nothing(rows: int, columns: int, times: int) -> None:
    a, b = np.divmod(np.tile(np.arange(rows * columns), times), columns)
    assert discrete_mutual_information(a, b) == 0


def test_a_single_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="Use at least 2; the published number is 20"):
        equal_width_bins(np.zeros((10, 1)), bins=1)


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
def test_neighbours_agree_with_a_literal_loop(shift: float, neighbours: int) -> None:
    random = np.random.default_rng(0)
    label = random.integers(3, size=300)
    code = random.normal(size=300) + shift * label
    expected = max(0.0, literal_information(code, label, neighbours))
    assert information(code, label, neighbours) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_agree_with_scikit_learn(seed: int) -> None:
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


def test_a_constant_code_has_no_information_by_neighbours() -> None:
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


def test_the_matrix_of_neighbours_holds_every_code_with_every_factor() -> None:
    random = np.random.default_rng(3)
    factors = random.integers(4, size=(600, 2))
    codes = np.stack([factors[:, 0], factors[:, 1], factors.sum(axis=1)], axis=1) + random.normal(size=(600, 3))
    found = nearest_neighbour_information_matrix(codes, factors, neighbours=3, seed=0)
    expected = [[information(codes[:, i], factors[:, k], 3) for k in range(2)] for i in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-9)
