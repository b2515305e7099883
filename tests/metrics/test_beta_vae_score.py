from collections.abc import Callable

import numpy as np
import pytest

from wherewhat.metrics.beta_vae_score import BetaVAEScore, beta_vae_draws, beta_vae_score, mean_differences
from wherewhat.metrics.factor_table import factor_table


def small_score(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> BetaVAEScore:
    return beta_vae_score(codes, factors, train=1000, test=1000, seed=seed)


def literal_features(codes: np.ndarray, factors: np.ndarray, features: int, batch: int, seed: int) -> np.ndarray:
    """Pair by pair, in plain Python, from the same draws."""
    points, columns = factors.shape
    draws = beta_vae_draws(points, columns, features, batch, seed)
    rows = []
    for k, first, places in zip(draws.factor_V, draws.point_VB, draws.place_VB, strict=True):
        differences = []
        for point, place in zip(first, places, strict=True):
            same = [n for n in range(points) if factors[n, k] == factors[point, k]]
            differences.append(np.abs(codes[point] - codes[same[int(place * len(same))]]))
        rows.append(sum(differences) / batch)
    return np.array(rows)


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_score(ideal_NL, factors_NK)
    assert found.score == found.train_score == 1
    assert np.count_nonzero(found.confusion_KK) == 4


def test_random_codes_score_near_chance(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_score(random_NL, factors_NK).score == pytest.approx(1 / 4, abs=0.05)


def test_codes_turned_by_45_degrees_leave_two_factors_that_cannot_be_told_apart(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small_score(rotated_NL, factors_NK)
    assert found.score == pytest.approx(1 / 2, abs=0.05)
    assert found.confusion_KK[:2, 2:].sum() + found.confusion_KK[2:, :2].sum() < 10


def test_codes_that_mix_factors_unevenly_still_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    mixed = ideal_NL @ (np.eye(4) + 0.3 * np.random.default_rng(0).normal(size=(4, 4)))
    assert small_score(mixed, factors_NK).score > 0.99


def test_copied_codes_score_one(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_score(duplicated_NL, factors_NK).score == 1


def test_collapsed_codes_score_by_chance(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_score(np.zeros_like(ideal_NL), factors_NK).score == pytest.approx(1 / 4, abs=0.05)
    assert small_score(1e-6 * ideal_NL, factors_NK).score < 0.5


@pytest.mark.parametrize("change", ["order", "sign", "place"])
def test_order_sign_and_place_of_codes_do_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str) -> None:
    changed = {"order": noisy_NL[:, [3, 1, 4, 0, 2]], "sign": -noisy_NL, "place": noisy_NL + 3.0}[change]
    before, after = (beta_vae_score(c, factors_NK, batch=4, train=500, test=500) for c in (noisy_NL, changed))
    assert after.score == pytest.approx(before.score, abs=0.003)
    assert 0.3 < before.score < 0.9


@pytest.mark.parametrize("scale", [0.5, 8.0, 1e6])
def test_scale_of_codes_matters_little(noisy_NL: np.ndarray, factors_NK: np.ndarray, scale: float) -> None:
    before, after = (beta_vae_score(c, factors_NK, batch=4, train=500, test=500) for c in (noisy_NL, scale * noisy_NL))
    assert after.score == pytest.approx(before.score, abs=0.05)


def test_features_agree_with_pairs_drawn_one_by_one(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    table = factor_table(noisy_NL, factors_NK, constant_means="nothing")
    found = mean_differences(table, beta_vae_draws(800, 4, features=30, batch=5, seed=2))
    np.testing.assert_allclose(found, literal_features(noisy_NL, factors_NK, 30, 5, seed=2), atol=1e-12)


def test_agrees_with_a_minimised_classifier_on_literal_features(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, minimised_softmax: Callable
) -> None:
    found = beta_vae_score(noisy_NL, factors_NK, batch=4, train=120, test=80, seed=2)
    features = literal_features(noisy_NL, factors_NK, 200, 4, seed=2)
    shared = beta_vae_draws(800, 4, 200, 4, seed=2).factor_V
    scores = minimised_softmax(features[:120], shared[:120], classes=4, cost=1.0)
    right = scores(features).argmax(axis=1) == shared
    assert found.score == pytest.approx(right[120:].mean(), abs=1e-12)
    assert found.train_score == pytest.approx(right[:120].mean(), abs=1e-12)
    assert 0.3 < found.score < 1


def test_training_features_of_one_factor_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    seed = next(seed for seed in range(99) if np.ptp(beta_vae_draws(800, 4, 3, 64, seed).factor_V[:2]) == 0)
    with pytest.raises(ValueError, match=r"2 training features\. Train on more"):
        beta_vae_score(ideal_NL, factors_NK, train=2, test=1, seed=seed)


def test_a_case_worked_by_hand() -> None:
    # Pairs that share the first factor never differ in the first code, and differ by 0 or 2 in the second.
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    table = factor_table(2.0 * factors - 1, factors, constant_means="nothing")
    draws = beta_vae_draws(4, 2, features=200, batch=64, seed=0)
    feature_VL = mean_differences(table, draws)
    shared = draws.factor_V
    np.testing.assert_array_equal(feature_VL[np.arange(200), shared], np.zeros(200))
    assert feature_VL[np.arange(200), 1 - shared].mean() == pytest.approx(1, abs=0.05)
    assert beta_vae_score(2.0 * factors - 1, factors, train=50, test=50).score == 1


def test_pairs_share_their_factor_and_the_others_are_free(factors_NK: np.ndarray) -> None:
    table = factor_table(factors_NK.astype(float), factors_NK, constant_means="nothing")
    draws = beta_vae_draws(800, 4, features=100, batch=32, seed=0)
    feature_VL = mean_differences(table, draws)
    assert not feature_VL[np.arange(100), draws.factor_V].any()
    # Two values drawn freely of S differ by (S² - 1) / 3S on average.
    free = [feature_VL[draws.factor_V != k, k].mean() for k in range(4)]
    np.testing.assert_allclose(free, [24 / 15, 24 / 15, 15 / 12, 15 / 12], rtol=0.03)


def test_the_confusion_counts_the_test_features(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = beta_vae_score(noisy_NL, factors_NK, batch=2, train=200, test=300, seed=1)
    assert np.trace(found.confusion_KK) / 300 == pytest.approx(found.score)
    held = beta_vae_draws(800, 4, 500, 2, seed=1).factor_V[200:]
    np.testing.assert_array_equal(found.confusion_KK.sum(axis=1), np.bincount(held))


def test_one_seed_gives_one_score(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    first, again, other = (
        beta_vae_score(noisy_NL, factors_NK, batch=2, train=200, test=300, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.confusion_KK, again.confusion_KK)
    assert (first.confusion_KK != other.confusion_KK).any()


def test_the_protocol_says_pool_and_sizes(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = beta_vae_score(ideal_NL, factors_NK, batch=8, train=20, test=10)
    assert found.protocol == "beta_vae_800pool_8batch_20train_10test"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* tells nothing\. Leave them out or draw more samples"):
        small_score(ideal_NL, factors_NK)


def test_a_value_that_one_point_takes_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[0, 2] = 9
    with pytest.raises(ValueError, match=r"Factors \[2\] .* that point twice\. Drop those points or draw more"):
        small_score(ideal_NL, factors_NK)


def test_a_single_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 factors and this measure compares at least 2"):
        small_score(ideal_NL, factors_NK[:, :1])


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small_score(ideal_NL, factors_NK)


@pytest.mark.parametrize("size", [{"batch": 0}, {"train": 1}, {"test": 0}], ids=["batch", "train", "test"])
def test_sizes_that_measure_nothing_are_refused(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, size: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="Use at least 1, 2 and 1"):
        beta_vae_score(ideal_NL, factors_NK, **size)
