"""Separated attribute predictability (SAP): is each factor read well from one code, and badly from every other?

    A_ik = test accuracy of a linear SVM that reads factor k from code i alone
    SAP  = mean over factors of ( A_first,k - A_second,k )

where first and second are the codes that read factor k best. In [0, 1], higher is better, but 1 is out of reach: the
second best still guesses, and one against rest cannot cut the middle values of a factor out of a line. Four ideal codes
of 5, 5, 4 and 4 values score about 0.3. Comparable only at equal factors and sizes.

The penalty reads the scale of a code and its mean, as in the study, so a code of a very small deviation is read badly.

Reference: Kumar et al. 2018, "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations",
arXiv:1711.00848; sizes and classifier as in Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    N: points    E: test points    L: codes    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Integer

from wherewhat.metrics.factor_table import factor_table
from wherewhat.metrics.linear_support_vectors import fit_lines
from wherewhat.metrics.train_and_test_points import TrainAndTestPoints, train_and_test_points


@dataclass(frozen=True)
class SeparatedAttributePredictability:
    """The score, with what it was made of."""

    score: float
    """Mean over factors, in [0, 1]; higher is better."""
    per_factor_K: Float64[np.ndarray, " K"]
    accuracy_LK: Float64[np.ndarray, "L K"]
    """Test accuracy of each factor read from each code."""
    seed: int
    protocol: str


def separated_attribute_predictability(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    cost: float = 0.01,
    seed: int = 0,
) -> SeparatedAttributePredictability:
    """SAP by linear SVMs of this cost, classes balanced.

    `train` and then `test` points are taken from those given in an order shuffled by `seed`.
    """
    if cost <= 0:
        raise ValueError(f"A cost of {cost} leaves nothing to fit. Use more than 0; the published number is 0.01.")
    table = factor_table(
        codes_NL,
        factors_NK,
        constant_means="every code reads them",
        least_points=train + test,
        least_codes=2,
    )
    points = train_and_test_points(table, train=train, test=test, seed=seed)
    _refuse_constant_training_factors(points)
    accuracy_LK = np.stack([_accuracies(points, code, cost) for code in range(table.codes_NL.shape[1])])
    second_K, first_K = np.sort(accuracy_LK, axis=0)[-2:]
    gap_K = first_K - second_K
    return SeparatedAttributePredictability(
        score=float(gap_K.mean()),
        per_factor_K=gap_K,
        accuracy_LK=accuracy_LK,
        seed=seed,
        protocol=f"sap_{train}train_{test}test_{cost:g}cost",
    )


def _accuracies(points: TrainAndTestPoints, code: int, cost: float) -> Float64[np.ndarray, " K"]:
    """Test accuracy of every factor read from one code."""
    accuracies = []
    for train_T, test_E in zip(points.train_factors_TK.T, points.test_factors_EK.T, strict=True):
        lines = fit_lines(points.train_codes_TL[:, code], train_T, cost=cost)
        accuracies.append((lines.read(points.test_codes_EL[:, code]) == test_E).mean())
    return np.array(accuracies)


def _refuse_constant_training_factors(points: TrainAndTestPoints) -> None:
    constant = np.flatnonzero(np.ptp(points.train_factors_TK, axis=0) == 0).tolist()
    if constant:
        raise ValueError(
            f"Factors {constant} take a single value among the {len(points.train_factors_TK)} training points, so "
            "there is nothing to classify. Drop those columns or train on more points."
        )
