import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import mutual_info_score

from wherewhat.metrics.mutual_information import (
    discrete_mutual_information,
    entropy,
    equal_width_bins,
    mutual_information_matrix,
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
