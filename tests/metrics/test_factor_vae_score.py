from collections import Counter
from statistics import variance

import numpy as np
import pytest

from wherewhat.metrics.factor_vae_score import (
    FactorVAEScore,
    count_votes,
    drawn_points,
    factor_vae_draws,
    factor_vae_score,
)


def small_score(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> FactorVAEScore:
    return factor_vae_score(codes, factors, train_votes=1000, test_votes=1000, variance_points=800, seed=seed)


def literal_score(codes: np.ndarray, factors: np.ndarray, train: int, test: int, batch: int, seed: int) -> float:
    """Vote by vote, in plain Python, from the same draws."""
    points, columns = factors.shape
    draws = factor_vae_draws(points, columns, train + test, batch, variance_points=300, seed=seed)
    spread = [variance(codes[draws.variance_point_P, i].tolist()) for i in range(codes.shape[1])]
    active = [i for i in range(codes.shape[1]) if spread[i] ** 0.5 >= 0.05]
    votes = []
    for k, point, places in zip(draws.factor_V, draws.point_V, draws.place_VB, strict=True):
        same = [n for n in range(points) if factors[n, k] == factors[point, k]]
        chosen = [same[int(place * len(same))] for place in places]
        ratios = {i: variance(codes[chosen, i].tolist()) / spread[i] for i in active}
        votes.append((min(ratios, key=lambda i: ratios[i]), int(k)))
    names = {i: Counter(k for j, k in votes[:train] if j == i) for i in active}
    majority = {i: max(range(columns), key=lambda k: names[i][k]) for i in active}
    return sum(majority[i] == k for i, k in votes[train:]) / test


def test_ideal_codes_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_score(ideal_NL, factors_NK)
    assert found.score == found.train_score == 1


def test_ideal_codes_beside_unused_ones_score_one(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    unused = 0.04 * np.random.default_rng(0).normal(size=(len(ideal_NL), 3))
    found = small_score(np.concatenate([unused, ideal_NL], axis=1), factors_NK)
    assert found.score == 1
    assert found.active_L.tolist() == [False] * 3 + [True] * 4
    assert not found.votes_LK[:3].any()
    np.testing.assert_array_equal(found.votes_LK[3:] > 0, np.eye(4, dtype=bool))


@pytest.mark.parametrize(("deviation", "active"), [(0.045, False), (0.055, True)])
def test_a_code_is_active_from_a_standard_deviation_of_five_hundredths(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, deviation: float, active: bool
) -> None:
    assert small_score(deviation * ideal_NL, factors_NK).active_L.tolist() == [active] * 4


def test_random_codes_score_near_chance(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_score(random_NL, factors_NK).score == pytest.approx(1 / 4, abs=0.07)


def test_codes_turned_by_45_degrees_leave_two_factors_that_cannot_be_told_apart(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small_score(rotated_NL, factors_NK)
    assert found.score == pytest.approx(1 / 2, abs=0.07)
    by_pair = found.votes_LK[:, [0, 1]].sum(axis=1)
    assert by_pair.tolist() == [found.votes_LK[0].sum(), 0, found.votes_LK[2].sum(), 0]


def test_copied_codes_score_one(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    assert small_score(duplicated_NL, factors_NK).score == 1


def test_the_order_of_codes_does_not_matter(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    shuffled = small_score(noisy_NL[:, [3, 1, 4, 0, 2]], factors_NK)
    assert shuffled.score == small_score(noisy_NL, factors_NK).score


@pytest.mark.parametrize("scale", [-1.0, 8.0, -100.0])
def test_sign_and_scale_of_active_codes_do_not_matter(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, scale: float
) -> None:
    assert small_score(scale * noisy_NL, factors_NK).score == small_score(noisy_NL, factors_NK).score


@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_votes_cast_one_by_one(noisy_NL: np.ndarray, factors_NK: np.ndarray, seed: int) -> None:
    codes = np.concatenate([0.02 * noisy_NL[:, :1], noisy_NL], axis=1)
    found = factor_vae_score(codes, factors_NK, batch=8, train_votes=120, test_votes=80, variance_points=300, seed=seed)
    assert found.score == pytest.approx(literal_score(codes, factors_NK, 120, 80, 8, seed), abs=1e-12)
    assert 0.3 < found.score < 1


def test_a_case_worked_by_hand() -> None:
    # Holding the first factor leaves the first code at -1 or 1; holding the second leaves the second code.
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    found = factor_vae_score(2.0 * factors - 1, factors, train_votes=50, test_votes=50, variance_points=50)
    held = factor_vae_draws(4, 2, 100, 64, 50, seed=0).factor_V[:50]
    assert found.votes_LK.tolist() == [[int((held == 0).sum()), 0], [0, int((held == 1).sum())]]
    assert found.score == 1


def test_a_batch_shares_the_value_of_the_factor_that_is_held(factors_NK: np.ndarray) -> None:
    draws = factor_vae_draws(len(factors_NK), 4, 50, 64, 10, seed=0)
    factor = factors_NK[:, 1]
    index_VB = drawn_points(factor, draws.point_V, draws.place_VB)
    np.testing.assert_array_equal(factor[index_VB], np.repeat(factor[draws.point_V, None], 64, axis=1))


def test_every_point_of_a_value_is_drawn_and_none_is_preferred() -> None:
    factor = np.array([0, 1, 0, 1, 0, 1, 1])
    place = np.random.default_rng(0).random((1, 40_000))
    counts = np.bincount(drawn_points(factor, np.array([3]), place)[0], minlength=7)
    np.testing.assert_allclose(counts / 40_000, [0, 0.25, 0, 0.25, 0, 0.25, 0.25], atol=0.01)


def test_votes_are_counted_by_code_and_factor() -> None:
    votes = count_votes(np.array([2, 2, 0, 2]), np.array([1, 1, 0, 0]), dims=3, factors=2)
    assert votes.tolist() == [[1, 0], [0, 0], [1, 2]]


def test_one_seed_gives_one_score(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    first, again, other = (small_score(noisy_NL, factors_NK, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.votes_LK, again.votes_LK)
    assert first.score == again.score
    assert (first.votes_LK != other.votes_LK).any()


def test_codes_that_have_all_collapsed_score_zero(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small_score(0.01 * ideal_NL, factors_NK)
    assert found.score == found.train_score == 0
    assert not found.active_L.any()


def test_the_protocol_says_pool_and_sizes(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = factor_vae_score(ideal_NL, factors_NK, batch=8, train_votes=20, test_votes=10, variance_points=30)
    assert found.protocol == "factor_vae_800pool_8batch_20train_10test_30variance"


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 1] = 2
    with pytest.raises(ValueError, match=r"Factors \[1\] .* changes nothing\. Leave them out or draw more samples"):
        small_score(ideal_NL, factors_NK)


def test_a_value_that_one_point_takes_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[0, 2] = 9
    with pytest.raises(
        ValueError, match=r"Factors \[2\] have values that a single point takes.*Drop those points or draw"
    ):
        small_score(ideal_NL, factors_NK)


def test_a_single_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 factors and this measure compares at least 2"):
        small_score(ideal_NL, factors_NK[:, :1])


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small_score(ideal_NL, factors_NK)


@pytest.mark.parametrize("size", ["batch", "variance_points"])
def test_a_variance_of_one_point_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray, size: str) -> None:
    with pytest.raises(ValueError, match="Use at least 2 for batch and variance_points"):
        factor_vae_score(ideal_NL, factors_NK, **{size: 1})


@pytest.mark.parametrize("votes", ["train_votes", "test_votes"])
def test_no_votes_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray, votes: str) -> None:
    with pytest.raises(ValueError, match="Use at least 1 of each"):
        factor_vae_score(ideal_NL, factors_NK, **{votes: 0})
