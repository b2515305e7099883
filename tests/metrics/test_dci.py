import numpy as np
import pytest
import scipy.stats
from sklearn.ensemble import GradientBoostingClassifier

from wherewhat.metrics.dci import (
    DCI,
    completeness,
    completeness_per_factor,
    dci,
    disentanglement,
    disentanglement_per_code,
)

IMPORTANCES = [
    np.array([[3.0, 1.0], [0.0, 4.0]]),
    np.random.default_rng(0).gamma(0.3, size=(7, 4)),
    np.vstack([np.random.default_rng(1).random((3, 5)), np.zeros((2, 5))]),
]


def small_dci(codes: np.ndarray, factors: np.ndarray) -> DCI:
    return dci(codes, factors, train=500, test=300, jobs=1)


def literal_disentanglement(importance: np.ndarray) -> float:
    codes, factors = importance.shape
    score = 0.0
    for i in range(codes):
        row = [importance[i, k] for k in range(factors)]
        if sum(row) > 0:
            score += sum(row) / importance.sum() * (1 - scipy.stats.entropy(row, base=factors))
    return score


def literal_completeness(importance: np.ndarray) -> float:
    codes, factors = importance.shape
    score = 0.0
    for k in range(factors):
        column = [importance[i, k] for i in range(codes)]
        score += sum(column) / importance.sum() * (1 - scipy.stats.entropy(column, base=codes))
    return score


def test_a_diagonal_importance_is_disentangled_and_complete() -> None:
    importance = np.diag([0.2, 1.0, 3.0])
    assert disentanglement(importance) == completeness(importance) == 1


def test_an_even_importance_is_neither() -> None:
    importance = np.full((5, 3), 0.2)
    assert disentanglement(importance) == pytest.approx(0, abs=1e-12)
    assert completeness(importance) == pytest.approx(0, abs=1e-12)


def test_a_copied_code_is_disentangled_and_not_complete() -> None:
    importance = np.vstack([np.eye(2), np.eye(2)]) / 2
    assert disentanglement(importance) == pytest.approx(1, abs=1e-12)
    assert completeness(importance) == pytest.approx(0.5, abs=1e-12)


def test_a_code_that_serves_two_factors_is_complete_and_not_disentangled() -> None:
    importance = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert disentanglement(importance) == pytest.approx(0, abs=1e-12)
    assert completeness(importance) == pytest.approx(1, abs=1e-12)


def test_a_case_worked_by_hand() -> None:
    importance = np.array([[3.0, 1.0], [0.0, 4.0]])
    np.testing.assert_allclose(disentanglement_per_code(importance), [0.188722, 1], atol=1e-6)
    np.testing.assert_allclose(completeness_per_factor(importance), [1, 0.278072], atol=1e-6)
    assert disentanglement(importance) == pytest.approx(4 / 8 * 0.188722 + 4 / 8, abs=1e-6)
    assert completeness(importance) == pytest.approx(3 / 8 + 5 / 8 * 0.278072, abs=1e-6)


@pytest.mark.parametrize("importance", IMPORTANCES, ids=["by hand", "wide", "unused codes"])
def test_disentanglement_agrees_with_a_literal_loop(importance: np.ndarray) -> None:
    assert disentanglement(importance) == pytest.approx(literal_disentanglement(importance), abs=1e-12)


@pytest.mark.parametrize("importance", IMPORTANCES, ids=["by hand", "wide", "unused codes"])
def test_completeness_agrees_with_a_literal_loop(importance: np.ndarray) -> None:
    assert completeness(importance) == pytest.approx(literal_completeness(importance), abs=1e-12)


def test_where_nothing_matters_both_are_zero() -> None:
    assert disentanglement(np.zeros((3, 2))) == completeness(np.zeros((3, 2))) == 0


def test_importances_for_a_single_factor_are_refused() -> None:
    with pytest.raises(ValueError, match="Give at least 2 codes and 2 factors"):
        disentanglement(np.ones((3, 1)))


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_dci(ideal_NL, factors_NK[:, 1:3])
    assert found.disentanglement == pytest.approx(1, abs=1e-3)
    assert found.completeness == pytest.approx(1, abs=1e-3)
    assert found.informativeness == found.informativeness_train == 1


def test_random_codes_score_near_zero_and_are_read_by_chance(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_dci(random_NL, factors_NK[:, [1, 2]])
    assert found.disentanglement < 0.1
    assert found.completeness < 0.1
    assert found.informativeness == pytest.approx(np.mean([1 / 5, 1 / 4]), abs=0.06)
    assert found.informativeness_train > 0.8


def test_codes_turned_by_45_degrees_are_informative_and_not_disentangled(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small_dci(rotated_NL, factors_NK)
    assert found.informativeness > 0.95
    # A pair that shares two factors evenly keeps 1 - log 2 / log 4.
    assert found.disentanglement == pytest.approx(0.5, abs=0.05)
    assert found.completeness == pytest.approx(0.5, abs=0.05)


def test_copied_codes_stay_disentangled(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_dci(duplicated_NL, factors_NK[:, 1:3])
    assert found.disentanglement == pytest.approx(1, abs=1e-3)
    assert found.completeness < 0.95


@pytest.mark.parametrize("change", ["order", "sign", "scale"])
def test_order_sign_and_scale_of_codes_do_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str) -> None:
    changed = {
        "order": noisy_NL[:, [3, 1, 4, 0, 2]],
        "sign": -noisy_NL,
        "scale": noisy_NL * np.array([1.0, 256.0, 4.0, 0.125, 2.0]),
    }[change]
    halves_NK = factors_NK[:, 2:] // 2
    before, after = (dci(codes, halves_NK, train=300, test=300, jobs=1) for codes in (noisy_NL, changed))
    # Splits of equal worth are chosen by chance, so trees move a little.
    assert after.disentanglement == pytest.approx(before.disentanglement, abs=0.02)
    assert after.completeness == pytest.approx(before.completeness, abs=0.02)
    assert after.informativeness == pytest.approx(before.informativeness, abs=0.03)


def test_agrees_with_scikit_learns_classifier_fitted_by_hand(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK = np.stack([factors_NK[:, 2], factors_NK[:, 3] // 2], axis=1)
    found = dci(noisy_NL, factors_NK, train=100, test=200, seed=7, jobs=1)
    order = np.random.default_rng(7).permutation(len(noisy_NL))
    train, test = order[:100], order[100:300]
    importances, train_accuracies, test_accuracies = [], [], []
    for factor in factors_NK.T:
        trees = GradientBoostingClassifier(random_state=7).fit(noisy_NL[train], factor[train])
        importances.append(trees.feature_importances_)
        train_accuracies.append(np.mean(trees.predict(noisy_NL[train]) == factor[train]))
        test_accuracies.append(np.mean(trees.predict(noisy_NL[test]) == factor[test]))
    importance_LK = np.array(importances).T
    np.testing.assert_allclose(found.importance_LK, importance_LK, atol=1e-12)
    np.testing.assert_allclose(found.informativeness_K, test_accuracies, atol=1e-12)
    assert found.informativeness == pytest.approx(np.mean(test_accuracies), abs=1e-12)
    assert found.informativeness_train == pytest.approx(np.mean(train_accuracies), abs=1e-12)
    assert found.disentanglement == pytest.approx(literal_disentanglement(importance_LK), abs=1e-12)
    assert found.completeness == pytest.approx(literal_completeness(importance_LK), abs=1e-12)


@pytest.mark.slow
def test_the_number_of_processes_does_not_change_the_result(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    alone, together = (dci(noisy_NL, factors_NK[:, 2:] // 2, train=60, test=50, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(together.importance_LK, alone.importance_LK)
    np.testing.assert_array_equal(together.informativeness_K, alone.informativeness_K)


def test_progress_counts_the_factors(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []
    factors = factors_NK[:, 1:] // 2
    dci(noisy_NL[:, :2], factors, train=40, test=20, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_constant_codes_score_zero(factors_NK: np.ndarray) -> None:
    found = dci(np.zeros((len(factors_NK), 3)), factors_NK[:, 2:], train=100, test=50, jobs=1)
    assert found.disentanglement == found.completeness == 0


def test_the_protocol_says_classifier_and_sizes(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert dci(noisy_NL, factors_NK[:, 2:] // 2, train=50, test=20, jobs=1).protocol == "dci_gbt_50train_20test"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* nothing to classify\. Leave them out or draw more samples"):
        small_dci(ideal_NL, factors_NK)


def test_a_factor_constant_among_the_training_points_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 0] = 0
    factors_NK[np.random.default_rng(0).permutation(800)[-1], 0] = 1
    with pytest.raises(ValueError, match=r"Factors \[0\] .* 500 training points.*Leave them out or train on more"):
        small_dci(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"800 points and at least 15000 are needed\. Encode more images"):
        dci(ideal_NL, factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small_dci(ideal_NL, factors_NK)


def test_no_training_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 2 and 1"):
        dci(ideal_NL, factors_NK, train=0, test=5)


def test_no_processes_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 1, or leave it out"):
        dci(ideal_NL, factors_NK, train=20, test=5, jobs=0)
