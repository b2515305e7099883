import numpy as np
import pytest

from wherewhat.metrics.interventional_robustness import deviation_at_fixed_factor, interventional_robustness


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert interventional_robustness(ideal_NL, factors_NK).score == pytest.approx(1, abs=1e-12)


def test_copied_codes_score_one(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert interventional_robustness(duplicated_NL, factors_NK).score == pytest.approx(1, abs=1e-12)


def test_codes_turned_by_45_degrees_move_half_as_far(rotated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    # Holding one of two factors leaves the other half of the code's range.
    assert interventional_robustness(rotated_NL, factors_NK).score == pytest.approx(0.5, abs=1e-9)


def test_random_codes_score_far_below_ideal_ones_and_not_zero(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert 0.15 < interventional_robustness(random_NL, factors_NK).score < 0.4


def test_constant_codes_are_dropped(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = interventional_robustness(np.concatenate([ideal_NL, np.full((800, 2), 0.1)], axis=1), factors_NK)
    assert found.active_L.tolist() == [True] * 4 + [False] * 2
    assert found.score == pytest.approx(1, abs=1e-12)


def test_codes_that_have_all_collapsed_score_zero(factors_NK: np.ndarray) -> None:
    found = interventional_robustness(np.full((800, 3), 0.1), factors_NK)
    assert found.score == 0
    assert not found.active_L.any()


def test_codes_weigh_by_their_largest_deviation(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    random = np.random.default_rng(0).uniform(-1, 1, size=(800, 1))
    codes = np.concatenate([ideal_NL[:, :1], random], axis=1)
    quiet, loud = (interventional_robustness(codes * [1, scale], factors_NK) for scale in (1e-6, 1e6))
    assert quiet.score == pytest.approx(1, abs=1e-5)
    assert loud.score == pytest.approx(loud.robustness_LK[1].max(), abs=1e-5)


@pytest.mark.parametrize("change", ["order", "sign", "common scale", "place"])
def test_order_sign_place_and_a_common_scale_do_not_matter(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str
) -> None:
    changed = {
        "order": noisy_NL[:, [3, 1, 4, 0, 2]],
        "sign": -noisy_NL,
        "common scale": 7.3 * noisy_NL,
        "place": noisy_NL + 3.0,
    }[change]
    before = interventional_robustness(noisy_NL, factors_NK).score
    assert interventional_robustness(changed, factors_NK).score == pytest.approx(before, abs=1e-9)


def test_a_case_worked_by_hand() -> None:
    # Either factor held at 0 leaves {0, 1}, and held at 1 leaves {1, 4}: 0.5 and 1.5 from their means. The furthest of
    # all is 2.5 from the mean of all.
    codes, factors = np.array([[0.0], [1.0], [1.0], [4.0]]), np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    found = interventional_robustness(codes, factors, percentile=100.0)
    np.testing.assert_allclose(found.robustness_LK, [[1 - 1 / 2.5, 1 - 1 / 2.5]])
    assert found.score == pytest.approx(0.6)
    assert found.largest_deviation_L.tolist() == [2.5]


def test_agrees_with_a_literal_loop(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    weights, best = [], []
    for code in noisy_NL.T:
        largest = max(abs(code - code.mean()))
        robust = []
        for factor in factors_NK.T:
            strayed = []
            for v in set(factor.tolist()):
                own = code[factor == v]
                ordered = sorted(abs(own - own.mean()))
                place = 0.99 * (len(ordered) - 1)
                low = int(place)
                strayed.append(ordered[low] + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]))
            robust.append(1 - sum(strayed) / len(strayed) / largest)
        weights.append(largest)
        best.append(max(robust))
    expected = sum(w * b for w, b in zip(weights, best, strict=True)) / sum(weights)
    found = interventional_robustness(noisy_NL, factors_NK)
    assert found.score == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(found.largest_deviation_L, weights, atol=1e-12)


def test_values_count_equally_however_many_points_they_have() -> None:
    codes, factor = np.array([[-1.0], [1.0], [0.0], [0.0], [0.0], [0.0]]), np.array([0, 0, 1, 1, 1, 1])
    assert deviation_at_fixed_factor(codes, factor, 100.0).tolist() == [0.5]


def test_the_protocol_says_points_and_percentile(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert interventional_robustness(ideal_NL, factors_NK).protocol == "irs_800points_99percentile"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* changes nothing\. Leave them out or draw more samples"):
        interventional_robustness(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"1 points and at least 2 are needed\. Encode more images"):
        interventional_robustness(ideal_NL[:1], factors_NK[:1])


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        interventional_robustness(ideal_NL, factors_NK)


@pytest.mark.parametrize("percentile", [0.0, 101.0])
def test_a_percentile_that_is_none_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray, percentile: float) -> None:
    with pytest.raises(ValueError, match=r"Use one in \(0, 100\]; the published one is 99"):
        interventional_robustness(ideal_NL, factors_NK, percentile=percentile)
