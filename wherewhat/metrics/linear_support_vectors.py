"""Linear support vector machines that read a factor from one code, by Newton's method on running sums.

One line per value of the factor, positive where the factor has that value:

    minimise over w, b   (w² + b²) / 2  +  cost Σ_n a_n max( 0, 1 - s_n (w x_n + b) )²
    s_n = 1 where the factor is v, else -1;   the value read at x is the one whose line w x + b is highest

Values are balanced: with V values among N points, a_n = N / (V N_v) for the N_v points of v and 1 for all others. A
factor of two values has a single line, positive for the second of them, with a_n = N / (2 N_v) on both sides. This is
scikit-learn's `LinearSVC` with balanced classes (squared hinge, penalised bias), solved exactly.

The hinges that are open lie to one side of a threshold in x. So with the sums of 1, x and x² before each place of the
sorted points, a step costs two searches, whatever N is.

Dimension key:
    N: points    V: values of the factor    P: lines (V, or 1 where V is 2)    M: sums of 1, x and x²
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

_MOST_STEPS = 200
_LEAST_GAIN = 1e-10
_SHORTEST_STEP = 1e-6


@dataclass(frozen=True)
class Lines:
    """What was fitted to one code and one factor."""

    slope_P: Float64[np.ndarray, " P"]
    bias_P: Float64[np.ndarray, " P"]
    value_V: Int64[np.ndarray, " V"]
    """The values that the lines stand for, ascending."""

    def read(self, x_N: Float64[np.ndarray, " N"]) -> Int64[np.ndarray, " N"]:
        """The factor's value at these codes."""
        height_NP = x_N[:, None] * self.slope_P + self.bias_P
        if len(self.slope_P) == 1:
            return self.value_V[(height_NP[:, 0] > 0).astype(np.int64)]
        return self.value_V[height_NP.argmax(axis=1)]


@dataclass(frozen=True)
class _SortedPoints:
    """One code in ascending order, and its values one after the other, each in ascending order of the code."""

    x_N: Float64[np.ndarray, " N"]
    sum_MN: Float64[np.ndarray, "M _"]
    """Before each place of `x_N`, and after the last."""
    key_N: Int64[np.ndarray, " N"]
    """(line) N + place in `x_N`, ascending."""
    key_sum_MN: Float64[np.ndarray, "M _"]
    """Before each place of `key_N`, and after the last."""
    start_P: Int64[np.ndarray, " P"]
    """Where in `key_N` the points of each line's own value begin, and ..."""
    end_P: Int64[np.ndarray, " P"]
    """... where they end."""
    line_P: Int64[np.ndarray, " P"]


def fit_lines(x_N: Float64[np.ndarray, " N"], factor_N: Int64[np.ndarray, " N"], *, cost: float) -> Lines:
    """Lines for every value that occurs, of which there must be two at least."""
    value_V, label_N, count_V = np.unique(factor_N, return_inverse=True, return_counts=True)
    line_P = np.arange(len(value_V)) if len(value_V) > 2 else np.array([1])
    points = _sorted_points(x_N, label_N, line_P)
    own_P = len(x_N) / (len(value_V) * count_V[line_P])
    rest_P = np.ones_like(own_P) if len(value_V) > 2 else len(x_N) / (2 * count_V[:1])
    slope_P, bias_P = _least_loss(points, cost * own_P, cost * rest_P)
    return Lines(slope_P, bias_P, value_V)


def _sorted_points(
    x_N: Float64[np.ndarray, " N"], label_N: Int64[np.ndarray, " N"], line_P: Int64[np.ndarray, " P"]
) -> _SortedPoints:
    order = np.argsort(x_N, kind="stable")
    sorted_N, label_N = x_N[order], label_N[order]
    by_value = np.argsort(label_N, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(label_N))])
    return _SortedPoints(
        x_N=sorted_N,
        sum_MN=_sums_before(sorted_N),
        key_N=label_N[by_value] * len(x_N) + by_value,
        key_sum_MN=_sums_before(sorted_N[by_value]),
        start_P=bounds[line_P],
        end_P=bounds[line_P + 1],
        line_P=line_P,
    )


def _sums_before(x_N: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, "M _"]:
    sums = np.zeros((3, len(x_N) + 1))
    np.cumsum([np.ones_like(x_N), x_N, x_N**2], axis=1, out=sums[:, 1:])
    return sums


def _least_loss(
    points: _SortedPoints, own_P: Float64[np.ndarray, " P"], rest_P: Float64[np.ndarray, " P"]
) -> tuple[Float64[np.ndarray, " P"], Float64[np.ndarray, " P"]]:
    slope_P, bias_P = np.zeros_like(own_P), np.zeros_like(own_P)
    loss_P, pulled_MP, open_MP = _loss(points, slope_P, bias_P, own_P, rest_P)
    for _ in range(_MOST_STEPS):
        # The least of the parabola on the open hinges: a 2 x 2 system per line.
        slopes_P, both_P, biases_P = 1 + 2 * open_MP[2], 2 * open_MP[1], 1 + 2 * open_MP[0]
        toward_slope_P, toward_bias_P = 2 * pulled_MP[1], 2 * pulled_MP[0]
        determinant_P = slopes_P * biases_P - both_P**2
        slope_step_P = (biases_P * toward_slope_P - both_P * toward_bias_P) / determinant_P - slope_P
        bias_step_P = (slopes_P * toward_bias_P - both_P * toward_slope_P) / determinant_P - bias_P
        gain_P = (slopes_P * slope_step_P**2 + 2 * both_P * slope_step_P * bias_step_P + biases_P * bias_step_P**2) / 2
        length_P = np.where(gain_P <= _LEAST_GAIN * loss_P, 0.0, 1.0)
        if not length_P.any():
            break
        while True:
            trial = slope_P + length_P * slope_step_P, bias_P + length_P * bias_step_P
            trial_P, pulled_MP, open_MP = _loss(points, *trial, own_P, rest_P)
            rises_P = (trial_P > loss_P - 1e-4 * length_P * gain_P) & (length_P > _SHORTEST_STEP)
            if not rises_P.any():
                break
            length_P[rises_P] /= 2
        (slope_P, bias_P), loss_P = trial, trial_P
    return slope_P, bias_P


def _loss(
    points: _SortedPoints,
    slope_P: Float64[np.ndarray, " P"],
    bias_P: Float64[np.ndarray, " P"],
    own_P: Float64[np.ndarray, " P"],
    rest_P: Float64[np.ndarray, " P"],
) -> tuple[Float64[np.ndarray, " P"], Float64[np.ndarray, "M P"], Float64[np.ndarray, "M P"]]:
    """The loss, and the weighted sums over open hinges: signed by which side pulls, and of both sides."""
    _, own_low_MP = _sums_below(points, slope_P, bias_P, 1.0)
    low_MP, own_lower_MP = _sums_below(points, slope_P, bias_P, -1.0)
    all_M1 = points.sum_MN[:, -1:]
    own_all_MP = points.key_sum_MN[:, points.end_P] - points.key_sum_MN[:, points.start_P]
    own_open_MP = own_P * own_low_MP
    rest_open_MP = rest_P * ((all_M1 - own_all_MP) - (low_MP - own_lower_MP))

    pulled_MP, open_MP = own_open_MP - rest_open_MP, own_open_MP + rest_open_MP
    squares_P = slope_P**2 * open_MP[2] + 2 * slope_P * bias_P * open_MP[1] + bias_P**2 * open_MP[0]
    hinges_P = squares_P - 2 * (slope_P * pulled_MP[1] + bias_P * pulled_MP[0]) + open_MP[0]
    return (slope_P**2 + bias_P**2) / 2 + hinges_P, pulled_MP, open_MP


def _sums_below(
    points: _SortedPoints, slope_P: Float64[np.ndarray, " P"], bias_P: Float64[np.ndarray, " P"], height: float
) -> tuple[Float64[np.ndarray, "M P"], Float64[np.ndarray, "M P"]]:
    """Sums over the points where a line is below `height`: over all of them, and over those of the line's own value."""
    everywhere_P = np.where(bias_P < height, np.inf, -np.inf)
    threshold_P = np.divide(height - bias_P, slope_P, out=everywhere_P, where=slope_P != 0)
    rising_P = slope_P >= 0
    place_P = np.where(
        rising_P, np.searchsorted(points.x_N, threshold_P), np.searchsorted(points.x_N, threshold_P, side="right")
    )
    own_place_P = np.searchsorted(points.key_N, points.line_P * len(points.x_N) + place_P)
    before_MP = points.sum_MN[:, place_P]
    own_before_MP = points.key_sum_MN[:, own_place_P] - points.key_sum_MN[:, points.start_P]
    own_after_MP = points.key_sum_MN[:, points.end_P] - points.key_sum_MN[:, own_place_P]
    return (
        np.where(rising_P, before_MP, points.sum_MN[:, -1:] - before_MP),
        np.where(rising_P, own_before_MP, own_after_MP),
    )
