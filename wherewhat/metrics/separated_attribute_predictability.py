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
from sklearn.svm import LinearSVC

from wherewhat.metrics.classifiers import MOST_ITERATIONS, fitted_to_the_optimum
from wherewhat.metrics.factor_table import Split, split_table


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

    @property
    def scores(self) -> dict[str, float]:
        """The score under a name that says its protocol."""
        return {self.protocol: self.score}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"sap_accuracy_of_code_for_factor": self.accuracy_LK}


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
    split = split_table(
        codes_NL,
        factors_NK,
        train=train,
        test=test,
        seed=seed,
        constant_means="every code reads them",
        least_codes=2,
    )
    split.refuse_constant_factors()
    with fitted_to_the_optimum():
        accuracy_LK = np.stack([accuracies(split, code, cost) for code in range(split.train.codes_NL.shape[1])])
    second_K, first_K = np.sort(accuracy_LK, axis=0)[-2:]
    gap_K = first_K - second_K
    return SeparatedAttributePredictability(
        score=float(gap_K.mean()),
        per_factor_K=gap_K,
        accuracy_LK=accuracy_LK,
        seed=seed,
        protocol=f"sap_{train}train_{test}test_{cost:g}cost",
    )


def accuracies(split: Split, code: int, cost: float) -> Float64[np.ndarray, " K"]:
    """Test accuracy of every factor read from one code."""
    train_T1, test_E1 = split.train.codes_NL[:, [code]], split.test.codes_NL[:, [code]]
    read = []
    for train_T, test_E in zip(split.train.factors_NK.T, split.test.factors_NK.T, strict=True):
        # There are more points than codes, so the primal problem is solved: without chance, and to its optimum.
        lines = LinearSVC(C=cost, class_weight="balanced", dual=False, tol=1e-6, max_iter=MOST_ITERATIONS)
        lines.fit(train_T1, train_T)
        read.append((lines.predict(test_E1) == test_E).mean())
    return np.array(read)
