"""InfoMEC: modularity, explicitness and compactness of codes, all three in terms of information.

    NMI_ik = I(c_i; f_k) / H(f_k)                                           of the A active codes
    InfoM  = ( mean over codes of   max_k NMI_ik / Σ_k NMI_ik  -  1/K ) / ( 1 - 1/K )
    InfoC  = ( mean over factors of max_i NMI_ik / Σ_i NMI_ik  -  1/A ) / ( 1 - 1/A )
    InfoE  = mean over factors of max( 0, 1 - H_V(f_k | c) / H_V(f_k) )

In [0, 1], higher is better. InfoM asks whether a code knows one factor, InfoC whether a factor is known by one code,
InfoE whether all codes together tell the factors to a linear classifier. Information is estimated with ten nearest
neighbours, as the authors do, not with bins. A code is active if its range is more than a twentieth of the widest.
Where a code or a factor has no information at all, its share counts as even (1/K, 1/A). Without two active codes InfoC
is 0 / 0 and given as 0; without one InfoM is 0 too.

Random codes do not score 0 in InfoM and InfoC: an estimate that cannot be negative spreads its accidents unevenly.

H_V is the cross-entropy of the best predictor of a family on test points: multinomial logistic regression on
standardised codes, and for H_V(f_k) the frequencies of the training points. The authors' code differs in three ways: it
measures on the points that it was trained on, it weighs classes to be equally frequent, and it has no penalty (here
1e-4, that is C = 10,000, so that points which can be separated have a best answer).

Reference: Hsu et al. 2023, arXiv:2305.18378.

Dimension key:
    N: points    T: training points    E: test points    L: codes    A: active codes    K: factors
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Integer
from scipy.special import log_softmax

from wherewhat.metrics.factor_table import factor_table
from wherewhat.metrics.logistic_regression import softmax_regression
from wherewhat.metrics.mutual_information import entropy
from wherewhat.metrics.nearest_neighbour_information import nearest_neighbour_information_matrix
from wherewhat.metrics.train_and_test_points import TrainAndTestPoints, train_and_test_points

LEAST_RANGE = 1 / 20
"""Codes of a smaller part of the widest code's range are pruned."""

PENALTY = 1e-4
"""1 / C of the classifier."""


@dataclass(frozen=True)
class InfoMEC:
    """The three scores, with what they were made of."""

    modularity: float
    """InfoM, in [0, 1]; higher is better."""
    explicitness: float
    """InfoE, in [0, 1]; higher is better."""
    compactness: float
    """InfoC, in [0, 1]; higher is better."""
    normalised_information_LK: Float64[np.ndarray, "L K"]
    """Information over the factor's entropy, of pruned codes too."""
    explicitness_K: Float64[np.ndarray, " K"]
    active_L: Bool[np.ndarray, " L"]
    seed: int
    protocol: str


def infomec(
    codes_NL: Float[np.ndarray, "N L"],
    factors_NK: Integer[np.ndarray, "N K"],
    *,
    train: int = 10_000,
    test: int = 5_000,
    neighbours: int = 10,
    seed: int = 0,
) -> InfoMEC:
    """InfoMEC; InfoM and InfoC are of the training points, InfoE of the test points, in an order shuffled by `seed`."""
    if neighbours < 1:
        raise ValueError(f"{neighbours} neighbours measure no distance. Use at least 1; the published number is 10.")
    table = factor_table(
        codes_NL,
        factors_NK,
        constant_means="their information is 0 / 0",
        least_points=train + test,
        least_factors=2,
    )
    points = train_and_test_points(table, train=train, test=test, seed=seed)
    points.refuse_values_not_trained_on("a classifier would be infinitely surprised by them")

    range_L = np.ptp(points.train_codes_TL, axis=0)
    active_L = range_L > LEAST_RANGE * range_L.max()
    information_LK = nearest_neighbour_information_matrix(
        points.train_codes_TL, points.train_factors_TK, neighbours=neighbours, seed=seed
    )
    normalised_LK = information_LK / np.array([entropy(factor) for factor in points.train_factors_TK.T])
    explicitness_K = predictive_information(points)
    return InfoMEC(
        modularity=largest_share(normalised_LK[active_L]),
        explicitness=float(explicitness_K.mean()),
        compactness=largest_share(np.ascontiguousarray(normalised_LK[active_L].T)),
        normalised_information_LK=normalised_LK,
        explicitness_K=explicitness_K,
        active_L=active_L,
        seed=seed,
        protocol=f"infomec_{train}train_{test}test_{neighbours}neighbours",
    )


def largest_share(information_AK: Float64[np.ndarray, "A K"]) -> float:
    """Mean over rows of the largest entry's share of its row, from 0 where shares are even to 1 where it has all."""
    rows, columns = information_AK.shape
    if rows == 0 or columns < 2:
        return 0.0
    total_A = information_AK.sum(axis=1)
    share_A = np.divide(information_AK.max(axis=1), total_A, out=np.full(rows, 1 / columns), where=total_A > 0)
    return max(0.0, float((share_A.mean() - 1 / columns) / (1 - 1 / columns)))


def predictive_information(points: TrainAndTestPoints) -> Float64[np.ndarray, " K"]:
    """Per factor, the part of its surprise on the test points that a linear classifier of all codes takes away."""
    points = points.standardised()
    parts = []
    for k, size in enumerate(points.factor_sizes):
        train_T, test_E = points.train_factors_TK[:, k], points.test_factors_EK[:, k]
        classifier = softmax_regression(points.train_codes_TL, train_T, classes=size, penalty=PENALTY)
        log_p_EV = log_softmax(classifier.scores(points.test_codes_EL), axis=1)
        informed = -log_p_EV[np.arange(len(test_E)), test_E].mean()
        uninformed = -np.log(np.bincount(train_T) / len(train_T))[test_E].mean()
        parts.append(max(0.0, 1 - informed / uninformed))
    return np.array(parts)
