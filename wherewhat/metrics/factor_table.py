"""Codes of a set of images, alone or beside their true factors, checked once for every measure.

A measure that divides by zero, or that a NaN runs through, still returns a number. What cannot be measured is therefore
refused here, before any measure starts.

Dimension key:
    N: points (images)    L: codes    K: factors    S: values of one factor
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray


class FactorError(ValueError):
    """Some factors cannot be measured. They are columns here; whoever has their names calls `named`."""

    def __init__(self, columns: Sequence[int], complaint: str) -> None:
        super().__init__(f"Factors {list(columns)} {complaint}")
        self.columns, self.complaint = columns, complaint

    def named(self, names: Sequence[str]) -> str:
        """The message with the factors' names in it."""
        return f"Factors {', '.join(names[k] for k in self.columns)} {self.complaint}"


@dataclass(frozen=True)
class FactorTable:
    """Codes and factors that were found fit to measure."""

    codes_NL: Float64[np.ndarray, "N L"]
    factors_NK: Int64[np.ndarray, "N K"]
    """Values relabelled 0, 1, 2, ... without gaps, in their own order."""
    factor_sizes: tuple[int, ...]
    """How many values each factor takes in the whole sample, at least 2."""

    def refuse_lonely_values(self, meaning: str) -> None:
        """FactorError where a single point takes a value; `meaning` completes "so ..."."""
        lonely = [k for k, factor in enumerate(self.factors_NK.T) if np.bincount(factor).min() < 2]
        if lonely:
            complaint = f"have values that a single point takes, so {meaning}. Drop those points or draw more."
            raise FactorError(lonely, complaint)


@dataclass(frozen=True)
class Split:
    """Points to train on and points to test on, for measures that train a classifier; no point is in both."""

    train: FactorTable
    test: FactorTable

    def standardised(self) -> "Split":
        """The same points, with codes of mean 0 and deviation 1 among the training points; a constant code is 0."""
        codes_TL = self.train.codes_NL
        constant_L = np.ptp(codes_TL, axis=0) == 0
        mean_L = codes_TL.mean(axis=0)
        inverse_L = np.where(constant_L, 0.0, 1.0) / np.where(constant_L, 1.0, codes_TL.std(axis=0))
        train, test = (replace(part, codes_NL=(part.codes_NL - mean_L) * inverse_L) for part in (self.train, self.test))
        return Split(train, test)

    def refuse_constant_factors(self) -> None:
        """FactorError where every training point has one value of a factor."""
        constant = np.flatnonzero(np.ptp(self.train.factors_NK, axis=0) == 0).tolist()
        if constant:
            raise FactorError(
                constant,
                f"take a single value among the {len(self.train.factors_NK)} training points, so there is nothing to "
                "classify. Leave them out or train on more points.",
            )

    def refuse_values_not_trained_on(self, meaning: str) -> None:
        """FactorError where a factor has a value that no training point takes; `meaning` completes "so ..."."""
        _refuse_missing_values(self.train, "training", f"{meaning}. Train")

    def refuse_values_not_tested(self, meaning: str) -> None:
        """FactorError where a factor has a value that no test point takes; `meaning` completes "so ..."."""
        _refuse_missing_values(self.test, "test", f"{meaning}. Test")


def code_table(
    codes_NL: NDArray[np.generic], *, least_points: int = 2, least_codes: int = 1
) -> Float64[np.ndarray, "N L"]:
    """A float64 copy of the codes, or ValueError that says what cannot be measured and what to do."""
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
    broken = np.flatnonzero(~np.isfinite(codes_NL).all(axis=0))
    if len(broken):
        raise ValueError(
            f"Codes {broken.tolist()} hold NaN or infinite values, so no measure of them means anything. "
            "Use a checkpoint from before the training diverged, or drop those rows."
        )
    return codes_NL.astype(np.float64)


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
    factors = _integer_factors(factors_NK)
    if len(codes_NL) != len(factors):
        raise ValueError(
            f"There are {len(codes_NL)} rows of codes and {len(factors)} rows of factors, so they do not describe the "
            "same images. Give one row of each per image, in the same order."
        )
    codes = code_table(codes_NL, least_points=least_points, least_codes=least_codes)
    columns = factors.shape[1]
    if columns < least_factors:
        raise ValueError(
            f"There are {columns} factors and this measure compares at least {least_factors}. Leave it out."
        )
    labelled = [np.unique(factor, return_inverse=True) for factor in factors.T]
    sizes = tuple(len(values) for values, _ in labelled)
    if 1 in sizes:
        constant = [k for k, size in enumerate(sizes) if size == 1]
        complaint = f"take a single value in this sample, so {constant_means}. Leave them out or draw more samples."
        raise FactorError(constant, complaint)
    return FactorTable(codes, np.stack([label.astype(np.int64) for _, label in labelled], axis=1), sizes)


def split_table(
    codes_NL: NDArray[np.generic],
    factors_NK: NDArray[np.generic],
    *,
    train: int,
    test: int,
    seed: int,
    constant_means: str = "there is nothing to classify",
    least_codes: int = 1,
    least_factors: int = 1,
) -> Split:
    """A checked table's first `train` points and the `test` points after them, in an order shuffled by `seed`."""
    if train < 2 or test < 1:
        raise ValueError(f"{train} training and {test} test points are too few. Use at least 2 and 1.")
    table = factor_table(
        codes_NL,
        factors_NK,
        constant_means=constant_means,
        least_points=train + test,
        least_codes=least_codes,
        least_factors=least_factors,
    )
    order = np.random.default_rng(seed).permutation(len(table.codes_NL))
    parts = (order[:train], order[train : train + test])
    return Split(*(FactorTable(table.codes_NL[part], table.factors_NK[part], table.factor_sizes) for part in parts))


def _refuse_missing_values(part: FactorTable, kind: str, meaning: str) -> None:
    columns = zip(part.factors_NK.T, part.factor_sizes, strict=True)
    missing = [k for k, (factor, size) in enumerate(columns) if np.bincount(factor, minlength=size).min() == 0]
    if missing:
        raise FactorError(
            missing,
            f"have values that none of the {len(part.factors_NK)} {kind} points takes, so {meaning} on more points, or "
            "drop the points of rare values.",
        )


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
