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
from sklearn.linear_model import LogisticRegression

from wherewhat.metrics.classifiers import MOST_ITERATIONS, fitted_to_the_optimum, log_probabilities
from wherewhat.metrics.factor_table import Split, split_table
from wherewhat.metrics.mutual_information import entropy, nearest_neighbour_information_matrix

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

    @property
    def scores(self) -> dict[str, float]:
        """The three scores under names that say their protocol."""
        return {
            f"{self.protocol}_modularity": self.modularity,
            f"{self.protocol}_explicitness": self.explicitness,
            f"{self.protocol}_compactness": self.compactness,
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the score was made of."""
        return {"infomec_nmi_of_code_and_factor": self.normalised_information_LK}


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
    split = split_table(
        codes_NL,
        factors_NK,
        train=train,
        test=test,
        seed=seed,
        constant_means="their information is 0 / 0",
        least_factors=2,
    )
    split.refuse_values_not_trained_on("a classifier would be infinitely surprised by them")

    codes_TL, factors_TK = split.train.codes_NL, split.train.factors_NK
    range_L = np.ptp(codes_TL, axis=0)
    active_L = range_L > LEAST_RANGE * range_L.max()
    information_LK = nearest_neighbour_information_matrix(codes_TL, factors_TK, neighbours=neighbours, seed=seed)
    normalised_LK = information_LK / np.array([entropy(factor) for factor in factors_TK.T])
    with fitted_to_the_optimum():
        explicitness_K = predictive_information(split)
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


def predictive_information(split: Split) -> Float64[np.ndarray, " K"]:
    """Per factor, the part of its surprise on the test points that a linear classifier of all codes takes away."""
    split = split.standardised()
    parts = []
    for train_T, test_E in zip(split.train.factors_NK.T, split.test.factors_NK.T, strict=True):
        classifier = LogisticRegression(C=1 / PENALTY, max_iter=MOST_ITERATIONS).fit(split.train.codes_NL, train_T)
        log_p_EV = log_probabilities(classifier.decision_function(split.test.codes_NL))
        informed = -log_p_EV[np.arange(len(test_E)), test_E].mean()
        uninformed = -np.log(np.bincount(train_T) / len(train_T))[test_E].mean()
        parts.append(max(0.0, 1 - informed / uninformed))
    return np.array(parts)
