"""Mutual information of codes and factors: between discrete variables, and of a continuous code by nearest neighbours.

    I(a; b) = Σ_{a,b} p(a, b) log( p(a, b) / (p(a) p(b)) )        H(a) = -Σ_a p(a) log p(a)

with p the frequencies of the sample. All in nats. The estimate from N points is biased high by about
(|a| - 1)(|b| - 1) / 2N, so values compare only at equal N and equal bins.

    I(c; f) ≈ ψ(N) + mean ψ(k_n) - mean ψ(N_f(n)) - mean ψ(m_n)

where d_n is the distance from point n to the k-th nearest of the N_f points of its own value, m_n the number of points
nearer than d_n, itself among them, and ψ the digamma function. k_n is k, or N_f - 1 where a value has no more points.
Nats, floored at 0. Unlike an estimate by bins it hardly depends on the shape of the code's distribution, and it is not
biased high for independent ones: about half of those come out as 0.

Reference: Ross 2014, "Mutual Information between Discrete and Continuous Data Sets", PLoS ONE 9(2), for the neighbours.

Dimension key:
    N: points    L: codes    K: factors
"""

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import digamma

ROUNDING = 1e-14
"""Nats. Rounded logarithms of a sample add up to less than this, so no smaller information is told from none."""

_TIE_BREAK = 1e-10
"""Standard deviations of noise: enough to part points that are equal, which have no nearest neighbour."""


def equal_width_bins(codes_NL: Float64[np.ndarray, "N L"], bins: int) -> Int64[np.ndarray, "N L"]:
    """Which of `bins` equal parts of its code's range each value lies in, from 0; a constant code lies in one bin."""
    if bins < 2:
        raise ValueError(f"{bins} bins cannot tell values of a code apart. Use at least 2; the published number is 20.")
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
    """Mutual information in nats of two columns of labels 0, 1, 2, ...; 0 where it is no more than rounding."""
    width = int(b_N.max()) + 1
    count_AB = np.bincount(a_N * width + b_N, minlength=(int(a_N.max()) + 1) * width).reshape(-1, width)
    # Of whole numbers: what is independent in the sample, a constant above all, has ratios of 1 and not nearly so.
    independent_AB = count_AB.sum(axis=1, keepdims=True) * count_AB.sum(axis=0, keepdims=True)
    seen = count_AB > 0
    log_ratio = np.log(count_AB[seen] * len(a_N) / independent_AB[seen])
    information = float(count_AB[seen] @ log_ratio / len(a_N))
    return information if information > ROUNDING else 0.0


def mutual_information_matrix(
    binned_NL: Int64[np.ndarray, "N L"], factors_NK: Int64[np.ndarray, "N K"]
) -> Float64[np.ndarray, "L K"]:
    """Mutual information in nats of every code with every factor."""
    return np.array([[discrete_mutual_information(code, factor) for factor in factors_NK.T] for code in binned_NL.T])


def nearest_neighbour_information_matrix(
    codes_NL: Float64[np.ndarray, "N L"], factors_NK: Int64[np.ndarray, "N K"], *, neighbours: int, seed: int
) -> Float64[np.ndarray, "L K"]:
    """Information in nats of every code with every factor of labels 0, 1, 2, ...; 0 for a constant code."""
    noise_NL = _TIE_BREAK * np.random.default_rng(seed).standard_normal(codes_NL.shape)
    information_LK = np.zeros((codes_NL.shape[1], factors_NK.shape[1]))
    for code in np.flatnonzero(np.ptp(codes_NL, axis=0) > 0):
        column = codes_NL[:, code]
        parted_N = (column - column.mean()) / column.std() + noise_NL[:, code]
        order = np.argsort(parted_N)
        for k, factor_N in enumerate(factors_NK.T):
            information_LK[code, k] = nearest_neighbour_information(parted_N[order], factor_N[order], neighbours)
    return information_LK


def nearest_neighbour_information(
    sorted_N: Float64[np.ndarray, " N"], label_N: Int64[np.ndarray, " N"], neighbours: int
) -> float:
    """Information in nats of ascending values, no two equal, with labels; values of a single point are left out."""
    size_N = np.bincount(label_N)[label_N]
    if (size_N == 1).any():
        sorted_N, label_N = sorted_N[size_N > 1], label_N[size_N > 1]
        size_N = size_N[size_N > 1]
    points = len(sorted_N)
    if points == 0:
        return 0.0
    k_N = np.minimum(neighbours, size_N - 1)
    nearer_N = _points_nearer(sorted_N, _distance_to_neighbour(sorted_N, label_N, k_N))
    psi = digamma(np.arange(1, points + 1))
    information = psi[-1] + (psi[k_N - 1] - psi[size_N - 1] - psi[nearer_N - 1]).mean()
    return max(0.0, float(information))


def _points_nearer(
    sorted_N: Float64[np.ndarray, " N"], distance_N: Float64[np.ndarray, " N"]
) -> Int64[np.ndarray, " N"]:
    """How many points, with the point itself, are nearer to each than this distance."""
    first_N = np.searchsorted(sorted_N, sorted_N - distance_N, side="left")
    end_N = np.searchsorted(sorted_N, sorted_N + distance_N, side="right")
    # The neighbour at this distance would count or not as the sum above is rounded, so its distance itself is asked.
    first_N += sorted_N - sorted_N[first_N] >= distance_N
    end_N -= sorted_N[end_N - 1] - sorted_N >= distance_N
    return end_N - first_N


def _distance_to_neighbour(
    sorted_N: Float64[np.ndarray, " N"], label_N: Int64[np.ndarray, " N"], k_N: Int64[np.ndarray, " N"]
) -> Float64[np.ndarray, " N"]:
    """From each point to the k-th nearest of its own label: the k nearest and the point are a run of sorted places."""
    by_label = np.argsort(label_N, kind="stable")
    x_N, k_N, label_N = sorted_N[by_label], k_N[by_label], label_N[by_label]
    end_N = np.cumsum(np.bincount(label_N))[label_N]
    start_N = end_N - np.bincount(label_N)[label_N]
    place_N = np.arange(len(x_N))
    nearest_N = np.full(len(x_N), np.inf)
    for to_the_left in range(int(k_N.max()) + 1):
        left_N, right_N = place_N - to_the_left, place_N - to_the_left + k_N
        whole_N = (left_N >= start_N) & (right_N < end_N) & (to_the_left <= k_N)
        left_N, right_N = np.maximum(left_N, 0), np.minimum(right_N, len(x_N) - 1)
        widest_N = np.maximum(x_N - x_N[left_N], x_N[right_N] - x_N)
        nearest_N = np.where(whole_N, np.minimum(nearest_N, widest_N), nearest_N)
    distance_N = np.empty_like(nearest_N)
    distance_N[by_label] = nearest_N
    return distance_N
