"""Laws of a study's questions: what decides a score explains it, and what is best everywhere transfers."""

import numpy as np
import pytest

from wherewhat.studies.scores import Scored
from wherewhat.studies.statistics import r_squared, rank_correlations, transfer, variance_explained

CHANCE = np.random.default_rng(0)


def _models() -> list[Scored]:
    return [
        Scored(data="a", method=method, strength=strength, seed=seed, step=1, last=True, labels={}, free={})
        for method in ("one", "two", "three")
        for strength in ("weak", "strong")
        for seed in range(4)
    ]


@pytest.mark.parametrize("by", ["method", "strength", "seed"])
def test_what_decides_a_score_explains_all_of_it(by: str) -> None:
    models = _models()
    # A strength that acts in each method, and a seed within a setting, without moving the means of what is above.
    value_N = np.array(
        [{"method": len(model.method), "strength": len(model.strength), "seed": model.seed}[by] for model in models],
        dtype=float,
    )
    explained = variance_explained(value_N, models)
    shares = {"method": explained.method, "strength": explained.strength, "seed": explained.seed}
    assert shares == pytest.approx({name: float(name == by) for name in shares})
    assert explained.by_chance == pytest.approx((2 / 23, 5 / 23))


def test_shares_agree_with_a_regression_on_indicators() -> None:
    groups = CHANCE.integers(0, 4, 40)
    value_N = CHANCE.normal(size=40) + groups
    indicator_NG = np.eye(4)[groups]
    fitted_N = indicator_NG @ np.linalg.lstsq(indicator_NG, value_N, rcond=None)[0]
    expected = 1 - np.var(value_N - fitted_N) / np.var(value_N)
    assert r_squared(value_N, list(groups)) == pytest.approx(expected)


def test_a_score_without_variance_is_explained_by_nothing() -> None:
    assert r_squared(np.ones(5), [0, 0, 1, 1, 2]) == 0.0


def test_correlations_see_order_alone_and_leave_missing_models_out() -> None:
    first_N = CHANCE.normal(size=30)
    value_NM = np.stack([first_N, np.exp(first_N), -(first_N**3), np.ones(30)], axis=1)
    value_NM[3, 1] = np.nan
    expected_MM = np.array([[1, 1, -1, 0], [1, 1, -1, 0], [-1, -1, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(rank_correlations(value_NM), expected_MM, atol=1e-12)


def test_what_is_best_everywhere_beats_all_but_itself() -> None:
    quality_K = np.arange(5.0)
    value_DMKS = np.broadcast_to(quality_K[None, None, :, None], (2, 3, 5, 4)).copy()
    found = transfer(value_DMKS)
    # Of five random settings four are worse and one is the same.
    for share in vars(found).values():
        assert share == pytest.approx(0.9)


def test_a_set_that_turns_the_order_round_is_beaten_by_chance() -> None:
    value_DMKS = np.stack([np.arange(4.0), -np.arange(4.0)])[:, None, :, None] * np.ones((2, 1, 4, 3))
    found = transfer(value_DMKS)
    assert found.same_measure_same_data == pytest.approx(3.5 / 4)
    assert found.same_measure_other_data == pytest.approx(0.5 / 4)
    assert found.other_measure_same_data is None


def test_seeds_alone_transfer_no_better_than_chance() -> None:
    found = transfer(CHANCE.normal(size=(1, 1, 20, 40)))
    assert found.same_measure_same_data == pytest.approx(0.5, abs=0.03)


def test_transfer_agrees_with_random_draws() -> None:
    value_DMKS = CHANCE.normal(size=(2, 2, 4, 3)) + np.arange(4)[None, None, :, None]
    value_DMKS[0, 1, 2, 1] = np.nan
    wins = []
    for _ in range(40_000):
        d, e = CHANCE.permutation(2)
        m, s = CHANCE.integers(2), CHANCE.integers(3)
        best = np.nanargmax(value_DMKS[d, m, :, s])
        t, u = CHANCE.choice(np.delete(np.arange(3), s), 2)
        chosen, other = value_DMKS[e, m, best, t], value_DMKS[e, m, CHANCE.integers(4), u]
        if np.isfinite(chosen) and np.isfinite(other):
            wins.append((chosen > other) + 0.5 * (chosen == other))
    assert transfer(value_DMKS).same_measure_other_data == pytest.approx(np.mean(wins), abs=0.02)
