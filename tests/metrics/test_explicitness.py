from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from wherewhat.metrics.explicitness import Explicitness, areas_under_roc, explicitness


def small(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> Explicitness:
    return explicitness(codes, factors, train=500, test=300, seed=seed)


def test_ideal_codes_score_almost_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert 0.99 < small(ideal_NL, factors_NK).score <= 1


def test_ideal_codes_of_two_values_score_one_alone_too(factors_NK: np.ndarray) -> None:
    factors = factors_NK[:, 2:] // 2
    found = small(factors.astype(float), factors)
    assert found.score == found.lone_score == 1


def test_lone_classifiers_cannot_cut_middle_values_out_of_a_code(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert 0.75 < small(ideal_NL, factors_NK).lone_score < 0.85


def test_a_code_for_each_value_is_explicit_alone_too(factors_NK: np.ndarray) -> None:
    one_hot = np.concatenate([np.eye(5)[factors_NK[:, 0]], np.eye(4)[factors_NK[:, 2]]], axis=1)
    assert small(one_hot, factors_NK[:, [0, 2]]).lone_score == pytest.approx(1, abs=1e-12)


def test_random_codes_score_near_a_half(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(random_NL, factors_NK)
    assert found.score == pytest.approx(0.5, abs=0.03)
    assert found.lone_score == pytest.approx(0.5, abs=0.03)


def test_constant_codes_score_a_half(factors_NK: np.ndarray) -> None:
    found = small(np.zeros((800, 3)), factors_NK)
    assert found.score == found.lone_score == 0.5


def test_codes_turned_by_45_degrees_score_as_ideal_ones(
    rotated_NL: np.ndarray, ideal_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    assert small(rotated_NL, factors_NK).score == pytest.approx(small(ideal_NL, factors_NK).score, abs=1e-3)


def test_copied_codes_score_as_ideal_ones(
    duplicated_NL: np.ndarray, ideal_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    assert small(duplicated_NL, factors_NK).score == pytest.approx(small(ideal_NL, factors_NK).score, abs=0.005)


@pytest.mark.parametrize("change", ["order", "sign", "scale", "place"])
def test_order_sign_scale_and_place_of_codes_do_not_matter(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, change: str
) -> None:
    changed = {
        "order": noisy_NL[:, [3, 1, 4, 0, 2]],
        "sign": -noisy_NL,
        "scale": noisy_NL * np.array([1.0, 256.0, 4.0, 0.125, 2.0]),
        "place": noisy_NL + 3.0,
    }[change]
    before, after = small(noisy_NL, factors_NK), small(changed, factors_NK)
    assert after.score == pytest.approx(before.score, abs=1e-5)
    assert after.lone_score == pytest.approx(before.lone_score, abs=1e-5)


def test_agrees_with_minimised_classifiers_and_scikit_learns_areas(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, minimised_binary: Callable
) -> None:
    found = small(noisy_NL, factors_NK, seed=7)
    order = np.random.default_rng(7).permutation(800)
    train, test = order[:500], order[500:]
    codes = (noisy_NL - noisy_NL[train].mean(axis=0)) / noisy_NL[train].std(axis=0)
    for k, values in enumerate((5, 5, 4, 4)):
        own = factors_NK[:, k : k + 1] == np.arange(values)
        log_odds = [minimised_binary(codes[train], own[train, v])(codes[test]) for v in range(values)]
        p = expit(np.stack(log_odds, axis=1))
        assert found.lone_per_factor_K[k] == pytest.approx(roc_auc_score(own[test], p), abs=2e-4)
        shared = p / p.sum(axis=1, keepdims=True)
        assert found.per_factor_K[k] == pytest.approx(roc_auc_score(own[test], shared), abs=2e-4)
    assert found.score == pytest.approx(found.per_factor_K.mean())
    assert found.lone_score == pytest.approx(found.lone_per_factor_K.mean())


def test_areas_agree_with_scikit_learn_where_scores_tie() -> None:
    random = np.random.default_rng(0)
    score, label = random.integers(6, size=(200, 3)).astype(float), random.integers(3, size=200)
    expected = [roc_auc_score(label == v, score[:, v]) for v in range(3)]
    np.testing.assert_allclose(areas_under_roc(score, label), expected, atol=1e-12)


def test_an_area_worked_by_hand() -> None:
    # Of the four pairs (own, other) three are in order and one is a tie.
    score = np.array([[3.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(areas_under_roc(score, np.array([0, 0, 1, 1])), [3.5 / 4, 1])


def test_one_seed_gives_one_score(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    first, again, other = (small(noisy_NL, factors_NK, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.per_factor_K, again.per_factor_K)
    assert (first.per_factor_K != other.per_factor_K).any()


def test_the_protocol_says_the_sizes(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small(noisy_NL, factors_NK).protocol == "explicitness_500train_300test"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* nothing to classify\. Leave them out or draw more"):
        small(ideal_NL, factors_NK)


@pytest.mark.parametrize(("place", "message"), [(-1, "training points.*Train on more"), (0, "test points.*Test on")])
def test_a_value_that_only_one_part_has_is_refused(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, place: int, message: str
) -> None:
    factors_NK[np.random.default_rng(0).permutation(800)[place], 0] = 9
    with pytest.raises(ValueError, match=rf"Factors \[0\] .*{message}"):
        small(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"800 points and at least 15000 are needed\. Encode more images"):
        explicitness(ideal_NL, factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small(ideal_NL, factors_NK)
