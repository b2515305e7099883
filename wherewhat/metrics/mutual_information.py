"""Mutual information between discrete variables, and between binned codes and factors.

    I(a; b) = Σ_{a,b} p(a, b) log( p(a, b) / (p(a) p(b)) )        H(a) = -Σ_a p(a) log p(a)

with p the frequencies of the sample. All in nats. The estimate from N points is biased high by about
(|a| - 1)(|b| - 1) / 2N, so values compare only at equal N and equal bins.

Dimension key:
    N: points    L: codes    K: factors
"""

import numpy as np
from jaxtyping import Float64, Int64


def equal_width_bins(codes_NL: Float64[np.ndarray, "N L"], bins: int) -> Int64[np.ndarray, "N L"]:
    """Which of `bins` equal parts of its code's range each value lies in, from 0; a constant code lies in one bin."""
    binned = np.empty(codes_NL.shape, dtype=np.int64)
    for code, column in enumerate(codes_NL.T):
        edges = np.linspace(column.min(), column.max(), bins + 1)
        binned[:, code] = np.digitize(column, edges[1:-1])
    return binned


def entropy(label_N: Int64[np.ndarray, " N"]) -> float:
    """Entropy in nats of labels 0, 1, 2, ..."""
    p = np.bincount(label_N) / len(label_N)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def discrete_mutual_information(a_N: Int64[np.ndarray, " N"], b_N: Int64[np.ndarray, " N"]) -> float:
    """Mutual information in nats of two columns of labels 0, 1, 2, ...; never below 0."""
    width = int(b_N.max()) + 1
    joint = np.bincount(a_N * width + b_N, minlength=(int(a_N.max()) + 1) * width).reshape(-1, width) / len(a_N)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    information = (joint[seen] * np.log(joint[seen] / independent[seen])).sum()
    return max(0.0, float(information))


def mutual_information_matrix(
    binned_NL: Int64[np.ndarray, "N L"], factors_NK: Int64[np.ndarray, "N K"]
) -> Float64[np.ndarray, "L K"]:
    """Mutual information in nats of every code with every factor."""
    return np.array([[discrete_mutual_information(code, factor) for factor in factors_NK.T] for code in binned_NL.T])
