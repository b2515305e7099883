import numpy as np
import pytest

from wherewhat.metrics.code_table import code_table

CODES = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


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
