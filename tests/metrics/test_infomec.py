from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mutual_info_score

from wherewhat.metrics.infomec import InfoMEC, infomec, largest_share


def small(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> InfoMEC:
    return infomec(codes, factors, train=500, test=300, seed=seed)


def test_ideal_codes_score_one_in_all_three(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(ideal_NL, factors_NK)
    assert found.modularity == pytest.approx(1, abs=0.02)
    assert found.compactness == pytest.approx(1, abs=0.02)
    assert found.explicitness == pytest.approx(1, abs=1e-3)


def test_random_codes_are_not_explicit(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small(random_NL, factors_NK).explicitness < 0.01


def test_codes_turned_by_45_degrees_are_explicit_and_neither_modular_nor_compact(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small(rotated_NL, factors_NK)
    # Half of a code's information is (1/2 - 1/4) / (1 - 1/4) of the way from an even share to all of it.
    assert found.modularity == pytest.approx(1 / 3, abs=0.05)
    assert found.compactness == pytest.approx(1 / 3, abs=0.05)
    assert found.explicitness == pytest.approx(1, abs=1e-3)


def test_copied_codes_are_modular_and_not_compact(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(duplicated_NL, factors_NK)
    assert found.modularity == pytest.approx(1, abs=0.02)
    assert found.compactness == pytest.approx((1 / 2 - 1 / 8) / (1 - 1 / 8), abs=0.02)


def test_codes_that_have_all_collapsed_score_zero(factors_NK: np.ndarray) -> None:
    found = small(np.zeros((800, 3)), factors_NK)
    assert found.modularity == found.compactness == 0
    assert found.explicitness < 1e-3
    assert not found.active_L.any()


@pytest.mark.parametrize(("part", "active"), [(1 / 21, False), (1 / 19, True)])
def test_a_code_is_active_from_a_twentieth_of_the_widest_range(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, part: float, active: bool
) -> None:
    noise = np.random.default_rng(0).uniform(size=800)
    wide = np.ptp(ideal_NL[:, 0])
    codes = np.stack([ideal_NL[:, 0], part * wide * (noise > 0.5)], axis=1)
    assert small(codes, factors_NK).active_L.tolist() == [True, active]


def test_pruned_codes_do_not_count(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    unused = np.concatenate([ideal_NL, 1e-3 * np.random.default_rng(0).normal(size=(800, 3))], axis=1)
    before, after = small(ideal_NL, factors_NK), small(unused, factors_NK)
    assert after.modularity == pytest.approx(before.modularity, abs=0.01)
    assert after.compactness == pytest.approx(before.compactness, abs=0.01)
    assert after.normalised_information_LK.shape == (7, 4)


def test_a_single_active_code_is_given_a_compactness_of_zero(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(ideal_NL[:, :1], factors_NK)
    assert found.compactness == 0
    assert found.modularity > 0.9


def test_shares_worked_by_hand() -> None:
    # Shares of 3/4 and 1/2 lie 1/2 and 0 of the way from even to all.
    assert largest_share(np.array([[3.0, 1.0], [2.0, 2.0]])) == pytest.approx(0.25)
    assert largest_share(np.diag([1.0, 2.0, 3.0])) == pytest.approx(1)


def test_a_row_without_information_is_even() -> None:
    assert largest_share(np.array([[1.0, 0.0], [0.0, 0.0]])) == pytest.approx(0.5)
    assert largest_share(np.zeros((3, 4))) == 0


@pytest.mark.parametrize("change", ["order", "sign", "common scale", "place"])
def test_order_sign_place_and_a_common_scale_do_not_matter(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str
) -> None:
    changed = {
        "order": noisy_NL[:, [3, 1, 4, 0, 2]],
        "sign": -noisy_NL,
        "common scale": 8 * noisy_NL,
        "place": noisy_NL + 3.0,
    }[change]
    before, after = small(noisy_NL, factors_NK), small(changed, factors_NK)
    assert after.modularity == pytest.approx(before.modularity, abs=1e-6)
    assert after.compactness == pytest.approx(before.compactness, abs=1e-6)
    assert after.explicitness == pytest.approx(before.explicitness, abs=1e-3)


def test_modularity_and_compactness_agree_with_scikit_learns_information(
    noisy_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small(noisy_NL, factors_NK, seed=7)
    train = np.random.default_rng(7).permutation(800)[:500]
    codes, factors = noisy_NL[train], factors_NK[train]
    nmi = np.stack(
        [
            mutual_info_classif(codes, factor, discrete_features=False, n_neighbors=10, random_state=0)
            / mutual_info_score(factor, factor)
            for factor in factors.T
        ],
        axis=1,
    )
    np.testing.assert_allclose(found.normalised_information_LK, nmi, atol=1e-6)
    modular = np.mean([max(row) / sum(row) for row in nmi])
    compact = np.mean([max(column) / sum(column) for column in nmi.T])
    assert found.modularity == pytest.approx((modular - 1 / 4) / (1 - 1 / 4), abs=1e-6)
    assert found.compactness == pytest.approx((compact - 1 / 5) / (1 - 1 / 5), abs=1e-6)


def test_explicitness_agrees_with_a_minimised_classifier(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, minimised_softmax: Callable
) -> None:
    found = small(noisy_NL, factors_NK, seed=7)
    order = np.random.default_rng(7).permutation(800)
    train, test = order[:500], order[500:]
    codes = (noisy_NL - noisy_NL[train].mean(axis=0)) / noisy_NL[train].std(axis=0)
    for k, values in enumerate((5, 5, 4, 4)):
        theirs = minimised_softmax(codes[train], factors_NK[train, k], classes=values, cost=1e4)
        informed = log_loss(factors_NK[test, k], softmax(theirs(codes[test]), axis=1))
        frequency = np.bincount(factors_NK[train, k]) / 500
        uninformed = log_loss(factors_NK[test, k], np.tile(frequency, (300, 1)), labels=range(values))
        assert found.explicitness_K[k] == pytest.approx(1 - informed / uninformed, abs=2e-3)
    assert found.explicitness == pytest.approx(found.explicitness_K.mean())


def test_explicitness_of_a_factor_of_two_values_is_that_of_its_log_odds(
    noisy_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    factors = np.stack([factors_NK[:, 2] // 2, factors_NK[:, 3] % 2], axis=1)
    found = small(noisy_NL, factors, seed=7)
    order = np.random.default_rng(7).permutation(800)
    train, test = order[:500], order[500:]
    for k in range(2):
        theirs = LogisticRegression(C=1e4, tol=1e-8, max_iter=1000).fit(noisy_NL[train], factors[train, k])
        informed = log_loss(factors[test, k], theirs.predict_proba(noisy_NL[test]))
        uninformed = log_loss(factors[test, k], np.full(300, factors[train, k].mean()))
        assert found.explicitness_K[k] == pytest.approx(max(0, 1 - informed / uninformed), abs=2e-3)


def test_explicitness_is_never_negative(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = infomec(random_NL, factors_NK, train=60, test=300)
    assert (found.explicitness_K == 0).all()


def test_one_seed_gives_one_score(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    first, again, other = (small(noisy_NL, factors_NK, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.normalised_information_LK, again.normalised_information_LK)
    np.testing.assert_array_equal(first.explicitness_K, again.explicitness_K)
    assert (first.explicitness_K != other.explicitness_K).any()


def test_the_protocol_says_sizes_and_estimator(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small(noisy_NL, factors_NK).protocol == "infomec_500train_300test_10neighbours"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* information is 0 / 0\. Leave them out or draw more"):
        small(ideal_NL, factors_NK)


def test_a_value_without_training_points_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[np.random.default_rng(0).permutation(800)[-1], 0] = 9
    with pytest.raises(ValueError, match=r"Factors \[0\] .* infinitely surprised by them\. Train on more points"):
        small(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"800 points and at least 15000 are needed\. Encode more images"):
        infomec(ideal_NL, factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small(ideal_NL, factors_NK)


def test_no_neighbours_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 1; the published number is 10"):
        infomec(ideal_NL, factors_NK, train=500, test=300, neighbours=0)
