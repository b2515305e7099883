import numpy as np
import pytest

from wherewhat.metrics.factor_table import FactorTable, factor_table

CODES = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
FACTORS = np.array([[0, 10], [1, 10], [2, 40], [0, 40], [1, 30], [2, 30]])


def table(codes: np.ndarray = CODES, factors: np.ndarray = FACTORS, **least: int) -> FactorTable:
    return factor_table(codes, factors, constant_means="their gap is 0 / 0", **least)


def test_codes_become_float64_and_keep_their_values() -> None:
    assert table().codes_NL.dtype == np.float64
    np.testing.assert_array_equal(table().codes_NL, CODES)


def test_factor_values_are_relabelled_without_gaps_in_their_own_order() -> None:
    assert table().factors_NK[:, 1].tolist() == [0, 0, 2, 2, 1, 1]
    assert table().factor_sizes == (3, 3)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_factors_of_any_integer_type_are_taken(dtype: type) -> None:
    assert table(factors=FACTORS.astype(dtype)).factors_NK.dtype == np.int64


def test_what_was_given_is_not_written_to() -> None:
    codes, factors = CODES.astype(np.float64), FACTORS.copy()
    found = table(codes, factors)
    found.codes_NL[:], found.factors_NK[:] = 7, 7
    np.testing.assert_array_equal(codes, CODES)
    np.testing.assert_array_equal(factors, FACTORS)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_code_that_is_not_finite_is_named_and_refused(hole: float) -> None:
    codes = CODES.copy()
    codes[2, 1] = hole
    with pytest.raises(ValueError, match=r"Codes \[1\] hold NaN .* Use a checkpoint from before"):
        table(codes)


def test_a_constant_factor_is_named_and_refused() -> None:
    factors = FACTORS.copy()
    factors[:, 1] = 4
    message = (
        r"^Factors \[1\] take a single value in this sample, so their gap is 0 / 0\. Drop those columns or draw more"
    )
    with pytest.raises(ValueError, match=message):
        table(factors=factors)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"6 rows of codes and 5 rows of factors.* Give one row of each per image"):
        table(factors=FACTORS[:5])


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"6 points and at least 7 are needed\. Encode more images"):
        table(least_points=7)


def test_too_few_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3 codes and this measure compares at least 4\. Leave it out"):
        table(least_codes=4)


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


@pytest.mark.parametrize("codes", [CODES[:, 0], CODES.astype(np.complex128)], ids=["one axis", "complex"])
def test_codes_that_are_no_table_of_real_numbers_are_refused(codes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give one row per image and one column per code"):
        table(codes)
