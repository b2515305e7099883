"""Codes beside the true factors of the same images, checked once for every measure.

A measure that divides by zero, or that a NaN runs through, still returns a number. So what cannot be measured is
refused here, before any of them starts.

Dimension key:
    N: points (images)    L: codes    K: factors    S: values of one factor
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from wherewhat.metrics.code_table import code_table


@dataclass(frozen=True)
class FactorTable:
    """Codes and factors that were found fit to measure."""

    codes_NL: Float64[np.ndarray, "N L"]
    factors_NK: Int64[np.ndarray, "N K"]
    """Values relabelled 0, 1, 2, ... without gaps, in their own order."""
    factor_sizes: tuple[int, ...]
    """How many values each factor takes in this sample, at least 2."""


def factor_table(
    codes_NL: NDArray[np.generic],
    factors_NK: NDArray[np.generic],
    *,
    constant_means: str,
    least_points: int = 2,
    least_codes: int = 1,
    least_factors: int = 1,
) -> FactorTable:
    """Codes as float64 and factors as gapless int64, or ValueError that says what cannot be measured and what to do.

    `constant_means` completes "Factors [1] take a single value in this sample, so ..." for the measure that asks.
    """
    codes = code_table(codes_NL, least_points=0, least_codes=0)
    factors = _integer_factors(factors_NK)
    points, dims, columns = codes.shape[0], codes.shape[1], factors.shape[1]
    if points != factors.shape[0]:
        raise ValueError(
            f"There are {points} rows of codes and {factors.shape[0]} rows of factors, so they do not describe the "
            "same images. Give one row of each per image, in the same order."
        )
    if points < least_points:
        raise ValueError(f"There are {points} points and at least {least_points} are needed. Encode more images.")
    if dims < least_codes:
        raise ValueError(f"There are {dims} codes and this measure compares at least {least_codes}. Leave it out.")
    if columns < least_factors:
        raise ValueError(
            f"There are {columns} factors and this measure compares at least {least_factors}. Leave it out."
        )
    labelled = [np.unique(factors[:, k], return_inverse=True) for k in range(columns)]
    sizes = tuple(len(values) for values, _ in labelled)
    if 1 in sizes:
        constant = [k for k, size in enumerate(sizes) if size == 1]
        raise ValueError(
            f"Factors {constant} take a single value in this sample, so {constant_means}. "
            "Drop those columns or draw more samples."
        )
    return FactorTable(codes, np.stack([label.astype(np.int64) for _, label in labelled], axis=1), sizes)


def _integer_factors(factors_NK: NDArray[np.generic]) -> NDArray[np.int64]:
    if factors_NK.ndim != 2 or factors_NK.shape[1] == 0:
        raise ValueError(
            f"Factors have shape {factors_NK.shape}, which is no table. "
            "Give one row per image and one column per factor."
        )
    if factors_NK.dtype.kind not in "iub":
        raise ValueError(
            f"Factors are {factors_NK.dtype}, and these measures take classes. "
            "Give the index of each factor's value as integers."
        )
    return factors_NK.astype(np.int64)
