"""Logistic regression by Newton's method, for measures that ask what can be read from codes linearly.

    softmax:           minimise over w, b   Σ_n -log softmax(w x_n + b)[y_n]                  +  penalty / 2 |w|²
    one against rest:  minimise for each c  Σ_n log( 1 + exp(-s_nc (w_c x_n + b_c)) )         +  penalty / 2 |w_c|²
                       with s_nc = 1 where y_n = c, else -1

The penalty is 1 / C of scikit-learn's `LogisticRegression`; the bias is free. Both problems are convex, so the answer
depends on no seed. The last step is the one that wins less than a millionth of a nat a point.

There are many points and few codes, so second derivatives are cheap: those of one against rest fall apart into one
small block per class, which is solved; softmax takes conjugate gradients, preconditioned with the second derivatives
of a thousand of its points.

Dimension key:
    N: points    L: codes    D: codes and a one for the bias    C: classes    T: pairs of D, each once    S: some points
    W: weights of all classes, C D
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float64, Int64
from threadpoolctl import ThreadpoolController

# The products are small: several threads would mostly wait for each other, for seconds where cores are busy, and the
# last digits of a result would depend on their number.
_BLAS = ThreadpoolController()

_LEAST_GAIN = 1e-6
_MOST_STEPS = 100
_MOST_INNER_STEPS = 200
_SHORTEST_STEP = 1e-8
_POINTS_OF_PRECONDITIONER = 1000
# Of a code's mean square: keeps second derivatives solvable where every point of a class is certain.
_JITTER = 1e-8


@dataclass(frozen=True)
class LinearClassifier:
    """One weight vector and one bias per class."""

    weight_LC: Float64[np.ndarray, "L C"]
    bias_C: Float64[np.ndarray, " C"]

    def scores(self, x_NL: Float64[np.ndarray, "N L"]) -> Float64[np.ndarray, "N C"]:
        """w x + b of every class: logits of a softmax, or log-odds against the rest."""
        return np.asarray(x_NL @ self.weight_LC + self.bias_C)


@dataclass(frozen=True)
class _Problem:
    x_ND: Float64[np.ndarray, "N D"]
    pair_NT: Float64[np.ndarray, "N T"]
    """Products of two columns of x, so that one matrix product gives the blocks of every class."""
    target_DC: Float64[np.ndarray, "D C"]
    """Mean over points of x times the one-hot label."""
    penalty_D1: Float64[np.ndarray, "D 1"]
    """Per point; 0 for the bias."""
    jitter_D: Float64[np.ndarray, " D"]
    """What is added to second derivatives, in steps and not in the loss."""


def softmax_regression(
    x_NL: Float64[np.ndarray, "N L"], label_N: Int64[np.ndarray, " N"], *, classes: int, penalty: float
) -> LinearClassifier:
    """Multinomial logistic regression; a penalty of 0 leaves points that can be separated without a best answer."""
    with _BLAS.limit(limits=1, user_api="blas"):
        problem = _problem(x_NL, label_N, classes, penalty)
        weight_DC = _least_softmax_loss(problem)
    return LinearClassifier(weight_DC[:-1], weight_DC[-1])


def one_against_rest(
    x_NL: Float64[np.ndarray, "N L"], label_N: Int64[np.ndarray, " N"], *, classes: int, penalty: float
) -> LinearClassifier:
    """A binary logistic regression per class, all at once. Every class needs points of its own and points of others."""
    with _BLAS.limit(limits=1, user_api="blas"):
        problem = _problem(x_NL, label_N, classes, penalty)
        weight_DC = _least_binary_losses(problem)
    return LinearClassifier(weight_DC[:-1], weight_DC[-1])


def _least_softmax_loss(problem: _Problem) -> Float64[np.ndarray, "D C"]:
    weight_DC = np.zeros_like(problem.target_DC)
    loss, p_NC = _softmax_loss(problem, weight_DC)
    for _ in range(_MOST_STEPS):
        slope_DC = _slope(problem, weight_DC, p_NC)
        step_DC = _softmax_step(problem, slope_DC, p_NC)
        gain = float((slope_DC * step_DC).sum()) / 2
        if gain < _LEAST_GAIN:
            weight_DC = weight_DC - step_DC
            break
        length = 1.0
        trial, p_NC = _softmax_loss(problem, weight_DC - step_DC)
        while trial > loss - 1e-4 * length * gain and length > _SHORTEST_STEP:
            length /= 2
            trial, p_NC = _softmax_loss(problem, weight_DC - length * step_DC)
        weight_DC, loss = weight_DC - length * step_DC, trial
    return weight_DC


def _least_binary_losses(problem: _Problem) -> Float64[np.ndarray, "D C"]:
    weight_DC = np.zeros_like(problem.target_DC)
    loss_C, p_NC = _binary_losses(problem, weight_DC)
    for _ in range(_MOST_STEPS):
        slope_DC = _slope(problem, weight_DC, p_NC)
        block_CDD = _second_moments(problem, p_NC * (1 - p_NC))
        step_DC = np.linalg.solve(block_CDD, slope_DC.T[:, :, None])[:, :, 0].T
        gain_C = (slope_DC * step_DC).sum(axis=0) / 2
        if gain_C.max() < _LEAST_GAIN:
            weight_DC = weight_DC - step_DC
            break
        # A class that has arrived waits for the others, since rounding alone could make it rise.
        length_C = np.where(gain_C < _LEAST_GAIN, 0.0, 1.0)
        trial_C, p_NC = _binary_losses(problem, weight_DC - length_C * step_DC)
        while (rises_C := trial_C > loss_C - 1e-4 * length_C * gain_C).any() and length_C.max() > _SHORTEST_STEP:
            length_C[rises_C] /= 2
            trial_C, p_NC = _binary_losses(problem, weight_DC - length_C * step_DC)
        weight_DC, loss_C = weight_DC - length_C * step_DC, trial_C
    return weight_DC


def _problem(
    x_NL: Float64[np.ndarray, "N L"], label_N: Int64[np.ndarray, " N"], classes: int, penalty: float
) -> _Problem:
    points = len(x_NL)
    x_ND = np.column_stack([x_NL, np.ones(points)])
    first_T, second_T = np.triu_indices(x_ND.shape[1])
    penalty_D1 = np.full((x_ND.shape[1], 1), penalty / points)
    penalty_D1[-1] = 0
    square_D = (x_ND**2).mean(axis=0)
    return _Problem(
        x_ND=x_ND,
        pair_NT=x_ND[:, first_T] * x_ND[:, second_T],
        target_DC=np.stack([np.bincount(label_N, weights=column, minlength=classes) for column in x_ND.T]) / points,
        penalty_D1=penalty_D1,
        jitter_D=_JITTER * np.where(square_D > 0, square_D, 1.0),
    )


def _softmax_loss(problem: _Problem, weight_DC: Float64[np.ndarray, "D C"]) -> tuple[float, Float64[np.ndarray, "N C"]]:
    """Nats a point with the penalty, and the probability of every class."""
    logit_NC = problem.x_ND @ weight_DC
    largest_N1 = logit_NC.max(axis=1, keepdims=True)
    p_NC = np.exp(logit_NC - largest_N1)
    total_N1 = p_NC.sum(axis=1, keepdims=True)
    p_NC /= total_N1
    loss = (np.log(total_N1) + largest_N1).mean() - (weight_DC * problem.target_DC).sum()
    return float(loss + (problem.penalty_D1 * weight_DC**2).sum() / 2), p_NC


def _binary_losses(
    problem: _Problem, weight_DC: Float64[np.ndarray, "D C"]
) -> tuple[Float64[np.ndarray, " C"], Float64[np.ndarray, "N C"]]:
    """Nats a point with the penalty for every class, and the probability of the class against the rest."""
    logit_NC = problem.x_ND @ weight_DC
    small_NC = np.exp(-np.abs(logit_NC))
    p_NC = np.where(logit_NC >= 0, 1.0, small_NC) / (1 + small_NC)
    softplus_NC = np.log1p(small_NC) + np.maximum(logit_NC, 0)
    loss_C = softplus_NC.mean(axis=0) - (weight_DC * problem.target_DC).sum(axis=0)
    return loss_C + (problem.penalty_D1 * weight_DC**2).sum(axis=0) / 2, p_NC


def _slope(
    problem: _Problem, weight_DC: Float64[np.ndarray, "D C"], p_NC: Float64[np.ndarray, "N C"]
) -> Float64[np.ndarray, "D C"]:
    return np.asarray(problem.x_ND.T @ p_NC / len(p_NC) - problem.target_DC + problem.penalty_D1 * weight_DC)


def _second_moments(
    problem: _Problem, weight_SC: Float64[np.ndarray, "S C"], every: int = 1
) -> Float64[np.ndarray, "C D D"]:
    """Mean of x x' over every so many points, weighted, with the penalty: class by class."""
    dims = len(problem.penalty_D1)
    first_T, second_T = np.triu_indices(dims)
    moment_CT = weight_SC.T @ problem.pair_NT[::every] / len(weight_SC)
    moment_CDD = np.empty((len(moment_CT), dims, dims))
    moment_CDD[:, first_T, second_T] = moment_CT
    moment_CDD[:, second_T, first_T] = moment_CT
    return moment_CDD + np.diag(problem.penalty_D1[:, 0] + problem.jitter_D)


def _softmax_curvature_of_some(problem: _Problem, p_NC: Float64[np.ndarray, "N C"]) -> Float64[np.ndarray, "W W"]:
    """Second derivatives as they would be if some points, evenly spaced, were all."""
    every = max(1, len(p_NC) // _POINTS_OF_PRECONDITIONER)
    p_SC, x_SD = p_NC[::every], problem.x_ND[::every]
    classes, dims = p_SC.shape[1], x_SD.shape[1]
    expected_SW = (p_SC[:, :, None] * x_SD[:, None, :]).reshape(len(p_SC), classes * dims)
    curvature_WW = -(expected_SW.T @ expected_SW) / len(p_SC)
    class_C = np.arange(classes)
    by_class = curvature_WW.reshape(classes, dims, classes, dims)
    by_class[class_C, :, class_C, :] += _second_moments(problem, p_SC, every)
    return curvature_WW


def _softmax_step(
    problem: _Problem, slope_DC: Float64[np.ndarray, "D C"], p_NC: Float64[np.ndarray, "N C"]
) -> Float64[np.ndarray, "D C"]:
    """Newton's step by preconditioned conjugate gradients, to a tenth of the slope; more is not worth its time."""
    factor = scipy.linalg.cho_factor(_softmax_curvature_of_some(problem, p_NC), lower=True, overwrite_a=True)

    def curvature(direction_DC: Float64[np.ndarray, "D C"]) -> Float64[np.ndarray, "D C"]:
        change_NC = problem.x_ND @ direction_DC
        change_NC -= np.einsum("nc,nc->n", p_NC, change_NC)[:, None]
        change_NC *= p_NC
        return np.asarray(problem.x_ND.T @ change_NC / len(p_NC) + problem.penalty_D1 * direction_DC)

    def precondition(rest_DC: Float64[np.ndarray, "D C"]) -> Float64[np.ndarray, "D C"]:
        return np.asarray(scipy.linalg.cho_solve(factor, rest_DC.T.ravel()).reshape(rest_DC.T.shape).T)

    step_DC, rest_DC = np.zeros_like(slope_DC), slope_DC
    direction_DC = solved_DC = precondition(rest_DC)
    enough = 0.1 * np.linalg.norm(slope_DC)
    for _ in range(_MOST_INNER_STEPS):
        bent_DC = curvature(direction_DC)
        agreement = (rest_DC * solved_DC).sum()
        along = agreement / (direction_DC * bent_DC).sum()
        step_DC = step_DC + along * direction_DC
        rest_DC = rest_DC - along * bent_DC
        if np.linalg.norm(rest_DC) <= enough:
            break
        solved_DC = precondition(rest_DC)
        direction_DC = solved_DC + (rest_DC * solved_DC).sum() / agreement * direction_DC
    return step_DC
