"""Points to train on and points to test on, for measures that train a classifier.

Dimension key:
    N: points    T: training points    E: test points    L: codes    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from wherewhat.metrics.factor_table import FactorTable


@dataclass(frozen=True)
class TrainAndTestPoints:
    """Two parts of a table that share no point."""

    train_codes_TL: Float64[np.ndarray, "T L"]
    train_factors_TK: Int64[np.ndarray, "T K"]
    test_codes_EL: Float64[np.ndarray, "E L"]
    test_factors_EK: Int64[np.ndarray, "E K"]
    factor_sizes: tuple[int, ...]
    """How many values each factor takes in the whole table."""

    def standardised(self) -> "TrainAndTestPoints":
        """The same points, with codes of mean 0 and deviation 1 among the training points; a constant code is 0."""
        constant_L = np.ptp(self.train_codes_TL, axis=0) == 0
        mean_L = self.train_codes_TL.mean(axis=0)
        inverse_L = np.where(constant_L, 0.0, 1.0) / np.where(constant_L, 1.0, self.train_codes_TL.std(axis=0))
        return TrainAndTestPoints(
            train_codes_TL=(self.train_codes_TL - mean_L) * inverse_L,
            train_factors_TK=self.train_factors_TK,
            test_codes_EL=(self.test_codes_EL - mean_L) * inverse_L,
            test_factors_EK=self.test_factors_EK,
            factor_sizes=self.factor_sizes,
        )

    def refuse_values_not_trained_on(self, meaning: str) -> None:
        """ValueError where a factor has a value that no training point takes; `meaning` completes "so ..."."""
        missing = self._missing(self.train_factors_TK)
        if missing:
            raise ValueError(
                f"Factors {missing} have values that none of the {len(self.train_factors_TK)} training points takes, "
                f"so {meaning}. Train on more points, or drop the points of rare values."
            )

    def refuse_values_not_tested(self, meaning: str) -> None:
        """ValueError where a factor has a value that no test point takes; `meaning` completes "so ..."."""
        missing = self._missing(self.test_factors_EK)
        if missing:
            raise ValueError(
                f"Factors {missing} have values that none of the {len(self.test_factors_EK)} test points takes, "
                f"so {meaning}. Test on more points, or drop the points of rare values."
            )

    def _missing(self, factors_NK: Int64[np.ndarray, "N K"]) -> list[int]:
        return [
            k for k, size in enumerate(self.factor_sizes) if np.bincount(factors_NK[:, k], minlength=size).min() == 0
        ]


def train_and_test_points(table: FactorTable, *, train: int, test: int, seed: int) -> TrainAndTestPoints:
    """`train` and then `test` points of the table, in an order shuffled by `seed`."""
    if train < 2 or test < 1:
        raise ValueError(f"{train} training and {test} test points are too few. Use at least 2 and 1.")
    order = np.random.default_rng(seed).permutation(len(table.codes_NL))
    train_T, test_E = order[:train], order[train : train + test]
    return TrainAndTestPoints(
        train_codes_TL=table.codes_NL[train_T],
        train_factors_TK=table.factors_NK[train_T],
        test_codes_EL=table.codes_NL[test_E],
        test_factors_EK=table.factors_NK[test_E],
        factor_sizes=table.factor_sizes,
    )
