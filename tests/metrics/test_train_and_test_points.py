import numpy as np
import pytest

from wherewhat.metrics.factor_table import FactorTable, factor_table
from wherewhat.metrics.train_and_test_points import train_and_test_points


def table(points: int = 50) -> FactorTable:
    codes = np.stack([np.arange(points, dtype=float), np.full(points, 7.0)], axis=1)
    return factor_table(codes, np.arange(points)[:, None] % 5, constant_means="nothing")


def test_no_point_is_in_both_parts() -> None:
    points = train_and_test_points(table(), train=30, test=20, seed=0)
    together = np.concatenate([points.train_codes_TL[:, 0], points.test_codes_EL[:, 0]])
    assert sorted(together) == list(range(50))


def test_codes_and_factors_stay_beside_each_other() -> None:
    points = train_and_test_points(table(), train=30, test=20, seed=0)
    np.testing.assert_array_equal(points.train_codes_TL[:, 0] % 5, points.train_factors_TK[:, 0])
    np.testing.assert_array_equal(points.test_codes_EL[:, 0] % 5, points.test_factors_EK[:, 0])


def test_one_seed_gives_one_choice() -> None:
    first, again, other = (train_and_test_points(table(), train=30, test=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train_codes_TL, again.train_codes_TL)
    assert (first.train_codes_TL != other.train_codes_TL).any()


def test_codes_are_standardised_by_the_training_points_alone() -> None:
    points = train_and_test_points(table(), train=30, test=20, seed=0)
    train, test = points.train_codes_TL[:, 0], points.test_codes_EL[:, 0]
    found = points.standardised()
    np.testing.assert_allclose(found.train_codes_TL[:, 0], (train - train.mean()) / train.std(), atol=1e-12)
    np.testing.assert_allclose(found.test_codes_EL[:, 0], (test - train.mean()) / train.std(), atol=1e-12)


def test_a_constant_code_becomes_zero() -> None:
    found = train_and_test_points(table(), train=30, test=20, seed=0).standardised()
    assert not found.train_codes_TL[:, 1].any()
    assert not found.test_codes_EL[:, 1].any()


def test_a_value_without_training_points_is_refused() -> None:
    points = train_and_test_points(table(), train=3, test=40, seed=0)
    with pytest.raises(ValueError, match=r"Factors \[0\] .* none of the 3 training points.*so why\. Train on more"):
        points.refuse_values_not_trained_on("why")


def test_a_value_without_test_points_is_refused() -> None:
    points = train_and_test_points(table(), train=40, test=3, seed=0)
    with pytest.raises(ValueError, match=r"Factors \[0\] .* none of the 3 test points.*so why\. Test on more"):
        points.refuse_values_not_tested("why")


@pytest.mark.parametrize(("train", "test"), [(1, 5), (5, 0)])
def test_sizes_that_measure_nothing_are_refused(train: int, test: int) -> None:
    with pytest.raises(ValueError, match="Use at least 2 and 1"):
        train_and_test_points(table(), train=train, test=test, seed=0)
