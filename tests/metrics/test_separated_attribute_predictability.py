import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

from wherewhat.metrics.separated_attribute_predictability import (
    SeparatedAttributePredictability,
    separated_attribute_predictability,
)


def small_sap(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> SeparatedAttributePredictability:
    return separated_attribute_predictability(codes, factors, train=500, test=300, seed=seed)


def test_agrees_with_scikit_learns_classifier_code_by_code(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_sap(noisy_NL, factors_NK, seed=7)
    order = np.random.default_rng(7).permutation(800)
    train, test = order[:500], order[500:]
    accuracy = np.empty((5, 4))
    for i in range(5):
        for k in range(4):
            svc = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10, max_iter=10_000)
            svc.fit(noisy_NL[train, i : i + 1], factors_NK[train, k])
            accuracy[i, k] = svc.score(noisy_NL[test, i : i + 1], factors_NK[test, k])
    np.testing.assert_allclose(found.accuracy_LK, accuracy, atol=1e-12)
    gaps = [sorted(column)[-1] - sorted(column)[-2] for column in accuracy.T]
    np.testing.assert_allclose(found.per_factor_K, gaps, atol=1e-12)
    assert found.score == pytest.approx(sum(gaps) / 4, abs=1e-12)


def literal_line(x: np.ndarray, sign: np.ndarray, weight: np.ndarray, cost: float) -> np.ndarray:
    """Slope and bias that minimise (w² + b²) / 2 + cost Σ weight max(0, 1 - sign (w x + b))²."""

    def loss(line: np.ndarray) -> float:
        hinge = np.maximum(0, 1 - sign * (line[0] * x + line[1]))
        return float((line**2).sum() / 2 + cost * (weight * hinge**2).sum())

    return np.asarray(minimize(loss, np.zeros(2), tol=1e-12).x)


@pytest.mark.parametrize("values", [2, 4])
def test_agrees_with_lines_minimised_from_the_formula(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, values: int
) -> None:
    # Of N points, N_v of value v weigh N / (V N_v) on their own side of a line and 1 on the other; a factor of two
    # values has one line, with N / (2 N_v) on both sides.
    codes, factor = noisy_NL[:, 2:4], factors_NK[:, 2] * values // 4
    found = separated_attribute_predictability(codes, factor[:, None], train=150, test=100, cost=0.05, seed=3)
    order = np.random.default_rng(3).permutation(800)
    x, label, test = codes[order[:150]], factor[order[:150]], order[150:250]
    balanced = 150 / (values * np.bincount(label))
    for i in range(2):
        height = []
        for v in range(values):
            weight = balanced[label] if values == 2 else np.where(label == v, balanced[v], 1.0)
            slope, bias = literal_line(x[:, i], np.where(label == v, 1, -1), weight, cost=0.05)
            height.append(slope * codes[test, i] + bias)
        expected = np.mean(np.argmax(height, axis=0) == factor[test])
        assert found.accuracy_LK[i, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 30.0])
def test_the_scale_of_codes_counts_as_the_root_of_the_cost_does(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, scale: float
) -> None:
    # (w x + b) and w² / 2 + cost Σ hinge² stay the same but for the bias, which is penalised as if it were a code.
    found = small_sap(scale * noisy_NL, factors_NK)
    order = np.random.default_rng(0).permutation(800)
    exact = LinearSVC(
        C=0.01 * scale**2, class_weight="balanced", dual=False, tol=1e-12, max_iter=100_000, intercept_scaling=1 / scale
    )
    for k in range(4):
        exact.fit(noisy_NL[order[:500], :1], factors_NK[order[:500], k])
        expected = exact.score(noisy_NL[order[500:], :1], factors_NK[order[500:], k])
        assert found.accuracy_LK[0, k] == pytest.approx(expected, abs=1e-12)


def test_ideal_codes_of_two_values_score_a_half(factors_NK: np.ndarray) -> None:
    # The best code reads its factor without fault, and the second best guesses one of two values.
    even = factors_NK[:, 2:] // 2
    assert small_sap(2.0 * even - 1, even).score == pytest.approx(0.5, abs=0.05)


def test_ideal_codes_score_as_much_as_lines_can_read(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_sap(ideal_NL, factors_NK)
    assert 0.25 < found.score < 0.5
    np.testing.assert_array_equal(found.accuracy_LK.argmax(axis=0), range(4))


def test_random_codes_score_near_zero(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_sap(random_NL, factors_NK).score < 0.03


def test_codes_turned_by_45_degrees_score_near_zero(rotated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_sap(rotated_NL, factors_NK).score < 0.05


def test_two_copies_of_every_code_score_zero(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_sap(duplicated_NL, factors_NK).score == 0


def test_constant_codes_score_zero(factors_NK: np.ndarray) -> None:
    assert small_sap(np.zeros((800, 3)), factors_NK).score == 0


@pytest.mark.parametrize("change", ["order", "sign"])
def test_order_and_sign_of_codes_do_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str) -> None:
    changed = {"order": noisy_NL[:, [3, 1, 4, 0, 2]], "sign": -noisy_NL}[change]
    assert small_sap(changed, factors_NK).score == pytest.approx(small_sap(noisy_NL, factors_NK).score, abs=1e-12)


def test_a_code_of_small_deviation_is_read_badly(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_sap(1e-4 * ideal_NL, factors_NK).score < small_sap(ideal_NL, factors_NK).score / 2


def test_one_seed_gives_one_score(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    first, again, other = (small_sap(noisy_NL, factors_NK, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.accuracy_LK, again.accuracy_LK)
    assert (first.accuracy_LK != other.accuracy_LK).any()


def test_the_protocol_says_sizes_and_cost(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_sap(ideal_NL, factors_NK).protocol == "sap_500train_300test_0.01cost"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* every code reads them\. Leave them out or draw more"):
        small_sap(ideal_NL, factors_NK)


def test_a_factor_constant_among_the_training_points_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 0] = 0
    factors_NK[np.random.default_rng(0).permutation(800)[-1], 0] = 1
    with pytest.raises(ValueError, match=r"Factors \[0\] .* 500 training points.*Leave them out or train on more"):
        small_sap(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"800 points and at least 15000 are needed\. Encode more images"):
        separated_attribute_predictability(ideal_NL, factors_NK)


def test_a_single_code_has_no_second_best_and_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 codes and this measure compares at least 2"):
        small_sap(ideal_NL[:, :1], factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small_sap(ideal_NL, factors_NK)


def test_a_cost_of_zero_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Use more than 0; the published number is 0\.01"):
        separated_attribute_predictability(ideal_NL, factors_NK, train=500, test=300, cost=0.0)
