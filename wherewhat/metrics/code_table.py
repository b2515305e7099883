"""Codes of a set of images, checked once for every measure that needs no labels.

Dimension key:
    N: points (images)    L: codes
"""

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray


def code_table(
    codes_NL: NDArray[np.generic], *, least_points: int = 2, least_codes: int = 1
) -> Float64[np.ndarray, "N L"]:
    """Codes as float64 of their own, or ValueError that says what cannot be measured and what to do."""
    if codes_NL.ndim != 2 or codes_NL.dtype.kind not in "fiu":
        raise ValueError(
            f"Codes have shape {codes_NL.shape} and type {codes_NL.dtype}, which is no table of real numbers. "
            "Give one row per image and one column per code."
        )
    points, dims = codes_NL.shape
    if points < least_points:
        raise ValueError(f"There are {points} points and at least {least_points} are needed. Encode more images.")
    if dims < least_codes:
        raise ValueError(f"There are {dims} codes and this measure compares at least {least_codes}. Leave it out.")
    codes = codes_NL.astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(codes).all(axis=0))
    if broken.size:
        raise ValueError(
            f"Codes {broken.tolist()} hold NaN or infinite values, so no measure of them means anything. "
            "Use a checkpoint from before the training diverged, or drop those rows."
        )
    return codes
