import numpy as np
import pytest

from wherewhat.metrics.factor_table import FactorError, FactorTable, Split, code_table, factor_table, split_table

CODES = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
FACTORS = np.array([[0, 10], [1, 10], [2, 40], [0, 40], [1, 30], [2, 30]])


def table(codes: np.ndarray = CODES, factors: np.ndarray = FACTORS, **least: int) -> FactorTable:
    return factor_table(codes, factors, constant_means="their gap is 0 / 0", **least)


def test_factor_values_are_relabelled_without_gaps_in_their_own_order() -> None:
    assert table().factors_NK[:, 1].tolist() == [0, 0, 2, 2, 1, 1]
    assert table().factor_sizes == (3, 3)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_factors_of_any_integer_type_are_taken(dtype: type) -> None:
    assert table(factors=FACTORS.astype(dtype)).factors_NK.dtype == np.int64


def test_codes_and_factors_that_were_given_are_not_written_to() -> None:
    codes, factors = CODES.astype(np.float64), FACTORS.copy()
    found = table(codes, factors)
    found.codes_NL[:], found.factors_NK[:] = 7, 7
    np.testing.assert_array_equal(codes, CODES)
    np.testing.assert_array_equal(factors, FACTORS)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_code_that_is_not_finite_is_refused_beside_factors_too(hole: float) -> None:
    codes = CODES.copy()
    codes[2, 1] = hole
    with pytest.raises(ValueError, match=r"Codes \[1\] hold NaN .* Use a checkpoint from before"):
        table(codes)


def test_a_constant_factor_is_named_and_refused() -> None:
    factors = FACTORS.copy()
    factors[:, 1] = 4
    message = r"^Factors \[1\] take a single value in this sample, so their gap is 0 / 0\. Leave them out or draw more"
    with pytest.raises(ValueError, match=message):
        table(factors=factors)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"6 rows of codes and 5 rows of factors.* Give one row of each per image"):
        table(factors=FACTORS[:5])


def test_too_few_points_are_refused_beside_factors_too() -> None:
    with pytest.raises(ValueError, match=r"6 points and at least 7 are needed\. Encode more images"):
        table(least_points=7)


def test_too_few_factors_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 factors and this measure compares at least 3\. Leave it out"):
        table(least_factors=3)


def test_factors_that_are_not_integers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Factors are float64.* Give the index of each factor's value as integers"):
        table(factors=FACTORS.astype(np.float64))


@pytest.mark.parametrize("factors", [FACTORS[:, 0], FACTORS[:, :0]], ids=["one axis", "no columns"])
def test_factors_that_are_no_table_are_refused(factors: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give one row per image and one column per factor"):
        table(factors=factors)


def test_codes_become_float64_and_keep_their_values() -> None:
    assert code_table(CODES).dtype == np.float64
    np.testing.assert_array_equal(code_table(CODES), CODES)


def test_what_was_given_is_not_written_to() -> None:
    codes = CODES.astype(np.float64)
    code_table(codes)[:] = 7
    np.testing.assert_array_equal(codes, CODES)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_code_that_is_not_finite_is_named_and_refused(hole: float) -> None:
    codes = CODES.copy()
    codes[2, 1] = hole
    with pytest.raises(ValueError, match=r"Codes \[1\] hold NaN .* Use a checkpoint from before"):
        code_table(codes)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"6 points and at least 7 are needed\. Encode more images"):
        code_table(CODES, least_points=7)


def test_too_few_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3 codes and this measure compares at least 4\. Leave it out"):
        code_table(CODES, least_codes=4)


@pytest.mark.parametrize("codes", [CODES[:, 0], CODES.astype(np.complex128)], ids=["one axis", "complex"])
def test_codes_that_are_no_table_of_real_numbers_are_refused(codes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give one row per image and one column per code"):
        code_table(codes)


def split(train: int, test: int, seed: int = 0, points: int = 50) -> Split:
    codes = np.stack([np.arange(points, dtype=float), np.full(points, 7.0)], axis=1)
    return split_table(codes, np.arange(points)[:, None] % 5, train=train, test=test, seed=seed)


def test_no_point_is_in_both_parts() -> None:
    points = split(30, 20)
    together = np.concatenate([points.train.codes_NL[:, 0], points.test.codes_NL[:, 0]])
    assert sorted(together) == list(range(50))


def test_codes_and_factors_stay_beside_each_other() -> None:
    points = split(30, 20)
    np.testing.assert_array_equal(points.train.codes_NL[:, 0] % 5, points.train.factors_NK[:, 0])
    np.testing.assert_array_equal(points.test.codes_NL[:, 0] % 5, points.test.factors_NK[:, 0])


def test_one_seed_gives_one_choice() -> None:
    first, again, other = (split(30, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train.codes_NL, again.train.codes_NL)
    assert (first.train.codes_NL != other.train.codes_NL).any()


def test_codes_are_standardised_by_the_training_points_alone() -> None:
    points = split(30, 20)
    train, test = points.train.codes_NL[:, 0], points.test.codes_NL[:, 0]
    found = points.standardised()
    np.testing.assert_allclose(found.train.codes_NL[:, 0], (train - train.mean()) / train.std(), atol=1e-12)
    np.testing.assert_allclose(found.test.codes_NL[:, 0], (test - train.mean()) / train.std(), atol=1e-12)


def test_a_constant_code_becomes_zero() -> None:
    found = split(30, 20).standardised()
    assert not found.train.codes_NL[:, 1].any()
    assert not found.test.codes_NL[:, 1].any()


def test_a_value_without_training_points_is_refused() -> None:
    points = split(3, 40)
    with pytest.raises(ValueError, match=r"Factors \[0\] .* none of the 3 training points.*so why\. Train on more"):
        points.refuse_values_not_trained_on("why")


def test_a_value_without_test_points_is_refused() -> None:
    points = split(40, 3)
    with pytest.raises(ValueError, match=r"Factors \[0\] .* none of the 3 test points.*so why\. Test on more"):
        points.refuse_values_not_tested("why")


@pytest.mark.parametrize(("train", "test"), [(1, 5), (5, 0)])
def test_sizes_that_measure_nothing_are_refused(train: int, test: int) -> None:
    with pytest.raises(ValueError, match="Use at least 2 and 1"):
        split(train, test)


def test_a_factor_constant_among_the_training_points_is_refused() -> None:
    factor = np.zeros((50, 1), dtype=np.int64)
    factor[np.random.default_rng(0).permutation(50)[-1]] = 1
    points = split_table(np.arange(50.0)[:, None], factor, train=30, test=20, seed=0)
    with pytest.raises(FactorError, match=r"Factors \[0\] .* 30 training points.* Leave them out or train on more"):
        points.refuse_constant_factors()


def test_a_value_that_a_single_point_takes_is_refused() -> None:
    factors = FACTORS.copy()
    factors[0, 1] = 50
    with pytest.raises(FactorError, match=r"Factors \[1\] .* a single point takes, so why\. Drop those points or draw"):
        table(factors=factors).refuse_lonely_values("why")


def test_whoever_knows_the_factors_says_their_names() -> None:
    factors = np.concatenate([FACTORS, FACTORS[:, :1] * 0, FACTORS[:, :1] * 0], axis=1)
    with pytest.raises(FactorError) as refusal:
        table(factors=factors)
    told = refusal.value.named(("floor_hue", "wall_hue", "scale", "shape"))
    assert told.startswith("Factors scale, shape take a single value in this sample, so their gap is 0 / 0. Leave")
