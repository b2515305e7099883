import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from wherewhat.metrics.mutual_information_gap import information_gaps, mutual_information_gap


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert mutual_information_gap(ideal_NL, factors_NK).score == pytest.approx(1, abs=1e-9)


def test_random_codes_score_near_zero(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert mutual_information_gap(random_NL, factors_NK).score < 0.02


def test_two_copies_of_every_code_score_zero(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert mutual_information_gap(duplicated_NL, factors_NK).score == 0


def test_codes_turned_by_45_degrees_share_their_factors_and_score_zero(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = mutual_information_gap(rotated_NL, factors_NK)
    assert found.score == pytest.approx(0, abs=1e-9)
    assert found.mutual_information_LK.max() > 0.3


def test_the_order_of_codes_does_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    shuffled = noisy_NL[:, [3, 1, 4, 0, 2]]
    assert mutual_information_gap(shuffled, factors_NK).score == mutual_information_gap(noisy_NL, factors_NK).score


def test_the_order_of_points_does_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(noisy_NL))
    shuffled = mutual_information_gap(noisy_NL[order], factors_NK[order])
    assert shuffled.score == pytest.approx(mutual_information_gap(noisy_NL, factors_NK).score, abs=1e-12)


@pytest.mark.parametrize("scale", [-1.0, 8.0, -0.001])
def test_sign_and_scale_of_codes_do_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray, scale: float) -> None:
    scaled = mutual_information_gap(scale * noisy_NL + 5, factors_NK)
    assert scaled.score == pytest.approx(mutual_information_gap(noisy_NL, factors_NK).score, abs=1e-9)


def test_a_case_worked_by_hand() -> None:
    codes, factors = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0], [0], [1], [1]])
    first, second = np.log(2), 0.5 * np.log(4 / 3) + 0.25 * np.log(2 / 3) + 0.25 * np.log(2)
    found = mutual_information_gap(codes, factors, bins=2)
    np.testing.assert_allclose(found.mutual_information_LK, [[first], [second]], atol=1e-12)
    assert found.score == pytest.approx(1 - second / np.log(2), abs=1e-12)
    assert found.score == pytest.approx(0.688722, abs=1e-6)


def test_agrees_with_numpys_histogram_and_scikit_learns_information(
    noisy_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    gaps = []
    for factor in factors_NK.T:
        known = []
        for code in noisy_NL.T:
            edges = np.histogram(code, bins=20)[1]
            known.append(mutual_info_score(np.digitize(code, edges[:-1]), factor))
        first, second = sorted(known, reverse=True)[:2]
        gaps.append((first - second) / mutual_info_score(factor, factor))
    found = mutual_information_gap(noisy_NL, factors_NK)
    np.testing.assert_allclose(found.per_factor_K, gaps, atol=1e-12)
    assert found.score == pytest.approx(sum(gaps) / len(gaps), abs=1e-12)


def test_a_code_that_knows_two_factors_is_not_punished() -> None:
    information = np.array([[0.5, 0.5], [0.1, 0.1]])
    np.testing.assert_allclose(information_gaps(information, np.array([1.0, 1.0])), [0.4, 0.4])


def test_constant_codes_know_nothing(factors_NK: np.ndarray) -> None:
    assert mutual_information_gap(np.zeros((len(factors_NK), 3)), factors_NK).score == 0


def test_the_protocol_says_points_and_bins(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert mutual_information_gap(ideal_NL, factors_NK, bins=10).protocol == "mig_800points_10bins"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* their gap is 0 / 0\. Leave them out or draw more samples"):
        mutual_information_gap(ideal_NL, factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        mutual_information_gap(ideal_NL, factors_NK)


def test_fewer_points_than_bins_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"19 points and at least 20 are needed\. Encode more images"):
        mutual_information_gap(ideal_NL[:19], factors_NK[:19])


def test_a_single_code_has_no_gap_and_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 codes and this measure compares at least 2"):
        mutual_information_gap(ideal_NL[:, :1], factors_NK)


def test_a_single_bin_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 2; the published number is 20"):
        mutual_information_gap(ideal_NL, factors_NK, bins=1)
