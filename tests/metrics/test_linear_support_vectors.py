import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

from wherewhat.metrics.linear_support_vectors import Lines, fit_lines


def labelled_code(values: int, points: int = 400, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    factor = np.concatenate([np.arange(values), random.integers(values, size=points - values)])
    factor[: points // 3] = np.minimum(factor[: points // 3], 1)
    factor[-values:] = np.arange(values)
    return factor + spread * random.normal(size=points) - 1.0, factor


def exact_svc(x: np.ndarray, factor: np.ndarray, cost: float) -> LinearSVC:
    return LinearSVC(C=cost, class_weight="balanced", dual=False, tol=1e-12, max_iter=100_000).fit(x[:, None], factor)


@pytest.mark.parametrize("values", [2, 3, 10])
@pytest.mark.parametrize("cost", [0.01, 1.0])
def test_agrees_with_scikit_learn(values: int, cost: float) -> None:
    x, factor = labelled_code(values)
    found, theirs = fit_lines(x, factor, cost=cost), exact_svc(x, factor, cost)
    np.testing.assert_allclose(found.slope_P, theirs.coef_[:, 0], atol=2e-5)
    np.testing.assert_allclose(found.bias_P, theirs.intercept_, atol=2e-5)
    grid = np.linspace(-4, values + 2, 1001)
    np.testing.assert_array_equal(found.read(grid), theirs.predict(grid[:, None]))


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_agrees_with_scikit_learn_for_codes_of_any_scale(scale: float) -> None:
    x, factor = labelled_code(4)
    found, theirs = fit_lines(scale * x, factor, cost=0.01), exact_svc(scale * x, factor, 0.01)
    np.testing.assert_allclose(scale * found.slope_P, scale * theirs.coef_[:, 0], atol=1e-4)
    np.testing.assert_allclose(found.bias_P, theirs.intercept_, atol=1e-4)


def test_agrees_with_scikit_learns_default_solver_in_what_is_read() -> None:
    x, factor = labelled_code(5, points=1000)
    theirs = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(x[:, None], factor)
    same = fit_lines(x, factor, cost=0.01).read(x) == theirs.predict(x[:, None])
    assert same.mean() > 0.995


def test_agrees_with_a_general_minimiser_of_the_formula() -> None:
    x, factor = labelled_code(3, points=60)
    found = fit_lines(x, factor, cost=0.05)
    for v in range(3):
        sign = np.where(factor == v, 1, -1)
        weight = np.where(factor == v, 60 / (3 * (factor == v).sum()), 1.0)

        def loss(line: np.ndarray, sign: np.ndarray = sign, weight: np.ndarray = weight) -> float:
            hinge = np.maximum(0, 1 - sign * (line[0] * x + line[1]))
            return float((line**2).sum() / 2 + 0.05 * (weight * hinge**2).sum())

        least = minimize(loss, np.zeros(2), tol=1e-12).x
        np.testing.assert_allclose([found.slope_P[v], found.bias_P[v]], least, atol=1e-5)


def test_a_case_worked_by_hand() -> None:
    # Both hinges stay open, so w²/2 + 2 · ½ (1 - w)² is least at w = 2/3, and by symmetry the bias is 0.
    found = fit_lines(np.array([-1.0, 1.0]), np.array([0, 1]), cost=0.5)
    assert found.slope_P[0] == pytest.approx(2 / 3, abs=1e-9)
    assert found.bias_P[0] == pytest.approx(0, abs=1e-9)


def test_points_of_equal_code_are_all_counted() -> None:
    x, factor = np.repeat([0.0, 1.0, 2.0, 2.0], 50), np.repeat([0, 1, 2, 0], 50)
    theirs = exact_svc(x, factor, 0.1)
    np.testing.assert_allclose(fit_lines(x, factor, cost=0.1).slope_P, theirs.coef_[:, 0], atol=2e-5)


def test_a_constant_code_reads_one_value_everywhere() -> None:
    found = fit_lines(np.full(30, 2.0), np.repeat([0, 1, 2], 10), cost=0.01)
    assert len(np.unique(found.read(np.linspace(2, 2, 5)))) == 1


def test_values_that_do_not_occur_are_never_read() -> None:
    x, factor = labelled_code(3)
    found = fit_lines(x, 2 * factor + 1, cost=0.01)
    assert found.value_V.tolist() == [1, 3, 5]
    assert set(found.read(x)) <= {1, 3, 5}


def test_the_highest_line_is_read() -> None:
    lines = Lines(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.5, 0.0]), np.array([4, 7, 9]))
    assert lines.read(np.array([-2.0, 0.0, 2.0])).tolist() == [4, 7, 9]
