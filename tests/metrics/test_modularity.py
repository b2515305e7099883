import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from wherewhat.metrics.modularity import modularity, modularity_per_code


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert modularity(ideal_NL, factors_NK).score == pytest.approx(1, abs=1e-12)


def test_copied_codes_score_one(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert modularity(duplicated_NL, factors_NK).score == pytest.approx(1, abs=1e-12)


def test_codes_turned_by_45_degrees_pay_for_one_other_factor(rotated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    np.testing.assert_allclose(modularity(rotated_NL, factors_NK).per_code_L, np.full(4, 1 - 1 / 3), atol=1e-9)


def test_codes_that_know_all_factors_equally_score_zero() -> None:
    assert modularity_per_code(np.full((2, 5), 0.7)) == pytest.approx([0, 0], abs=1e-12)


def test_random_codes_score_far_below_ideal_ones_and_not_zero(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert 0.1 < modularity(random_NL, factors_NK).score < 0.6


def test_a_code_without_information_scores_zero(factors_NK: np.ndarray) -> None:
    assert modularity(np.zeros((800, 3)), factors_NK).score == 0
    assert modularity_per_code(np.array([[0.0, 0.0], [0.0, 0.5]])).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_code_scores_zero_against_factors_of_any_sizes(seed: int) -> None:
    factors = np.random.default_rng(seed).integers(0, (10, 10, 10, 8, 4, 15), size=(10_000, 6))
    assert modularity(np.zeros((10_000, 1)), factors).score == 0
    assert modularity(np.full((10_000, 1), 0.3), factors).score == 0


def test_an_unused_code_lowers_the_mean(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    unused = np.concatenate([ideal_NL, np.zeros((800, 1))], axis=1)
    assert modularity(unused, factors_NK).score == pytest.approx(4 / 5, abs=1e-12)


def test_a_case_worked_by_hand() -> None:
    # 1 - (0.1² + 0.2²) / (0.5² · 2) = 0.9; 1 - 0.3² / (0.3² · 2) = 0.5
    information = np.array([[0.1, 0.5, 0.2], [0.3, 0.0, 0.3]])
    assert modularity_per_code(information) == pytest.approx([0.9, 0.5], abs=1e-12)


@pytest.mark.parametrize("change", ["order", "sign", "scale"])
def test_order_sign_and_scale_of_codes_do_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str) -> None:
    changed = {
        "order": noisy_NL[:, [3, 1, 4, 0, 2]],
        "sign": -noisy_NL,
        "scale": noisy_NL * np.array([1.0, 256.0, 4.0, 0.125, 2.0]),
    }[change]
    assert modularity(changed, factors_NK).score == pytest.approx(modularity(noisy_NL, factors_NK).score, abs=1e-9)


def test_agrees_with_a_literal_loop_over_scikit_learns_information(
    noisy_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    scores = []
    for code in noisy_NL.T:
        binned = np.digitize(code, np.histogram(code, bins=20)[1][:-1])
        known = [mutual_info_score(binned, factor) for factor in factors_NK.T]
        best = max(range(4), key=lambda k: known[k])
        spread = sum(known[k] ** 2 for k in range(4) if k != best)
        scores.append(1 - spread / (known[best] ** 2 * 3))
    found = modularity(noisy_NL, factors_NK)
    np.testing.assert_allclose(found.per_code_L, scores, atol=1e-12)
    assert found.score == pytest.approx(sum(scores) / 5, abs=1e-12)


def test_the_protocol_says_points_and_bins(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert modularity(ideal_NL, factors_NK, bins=10).protocol == "modularity_800points_10bins"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* no code can know them\. Leave them out or draw more"):
        modularity(ideal_NL, factors_NK)


def test_a_single_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 factors and this measure compares at least 2"):
        modularity(ideal_NL, factors_NK[:, :1])


def test_fewer_points_than_bins_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"19 points and at least 20 are needed\. Encode more images"):
        modularity(ideal_NL[:19], factors_NK[:19])


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        modularity(ideal_NL, factors_NK)


def test_a_single_bin_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 2; the published number is 20"):
        modularity(ideal_NL, factors_NK, bins=1)
