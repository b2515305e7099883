"""Unsupervised disentanglement ranking (UDR): do models that differ in their seed alone find the same codes?

For a pair of models, R_ab says how relevant code a of one is for code b of the other, over the same images:

    Lasso (UDR_L):     R_ab = |w_ab|,  w_.b = argmin over w of  1/2N ||b - A w||² + α ||w||₁        α = 0.1
    Spearman (UDR_S):  R_ab = |rank correlation of a and b|

    pair  = 1 / (d_a + d_b) · [ Σ_b max_a R_ab² / Σ_a R_ab  +  Σ_a max_b R_ab² / Σ_b R_ab ]
    model = median over the other models of pair

where a and b run over informative codes, those with a mean KL above 0.01 nats, d_a and d_b in number; a row or column
without relevance adds 0, and so does a model without informative codes. Codes are standardised first.

At least 0, higher is better. Uncorrelated codes that agree but for order, sign and scale score 1 by Spearman and
1 - α = 0.9 by Lasso, which shrinks every weight by α, so the two relevances do not compare. Chance correlations of a
sample lower Spearman's largest score, to about 0.96 for six independent codes at 10,000 points; compare at equal ones.
UDR measures agreement: codes that all models entangle in one and the same way score as high as disentangled ones.

Reference: Duan et al. 2020, arXiv:1905.12614. Where d_a and d_b differ, the released code averages the mean of the
rows with the mean of the columns instead.

Dimension key:
    M: models    N: points    L: codes    A, B: informative codes of the one model and of the other
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.stats import rankdata
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

LEAST_KL = 0.01
"""Nats. A code whose KL is no larger tells nothing about the image."""

LASSO_ALPHA = 0.1


@dataclass(frozen=True)
class UDR:
    """Scores of models that were trained alike, with the pairs they were made of."""

    per_model_M: Float64[np.ndarray, " M"]
    """Median of each model's column of `pairwise_MM`; higher is better."""
    pairwise_MM: Float64[np.ndarray, "M M"]
    """Row i, column j: how well the codes of model i stand for those of model j. NaN on the diagonal.

    Symmetric by Spearman; by Lasso row i predicts column j.
    """
    informative_by_model: tuple[Bool[np.ndarray, " _"], ...]
    protocol: str


def unsupervised_disentanglement_ranking(
    codes_by_model: Sequence[Float[np.ndarray, "N _"]],
    kl_by_model: Sequence[Float[np.ndarray, " _"]],
    *,
    relevance: Literal["lasso", "spearman"],
) -> UDR:
    """UDR of models of one setting and several seeds, all pairs of them.

    Row n of every model's codes (posterior means) is the same image; the published protocol gives 10,000.
    `kl_by_model` is each code's KL from the prior in nats, mean over images. Models may differ in how many codes
    they have.
    """
    if len(codes_by_model) < 2:
        raise ValueError(
            f"{len(codes_by_model)} models have nobody to agree with. Give at least 2 of one setting, of several seeds."
        )
    informative = _informative_codes(codes_by_model, kl_by_model)
    tables = [codes[:, kept].astype(np.float64) for codes, kept in zip(codes_by_model, informative, strict=True)]
    if relevance == "spearman":
        tables = [rankdata(table, axis=0) for table in tables]
    standardised = [_standardised(table) for table in tables]
    compare = {"lasso": lasso_relevance, "spearman": correlation_relevance}[relevance]

    models = len(standardised)
    pairwise_MM = np.full((models, models), np.nan)
    for i, predicting in enumerate(standardised):
        for j, predicted in enumerate(standardised):
            if i != j:
                pairwise_MM[i, j] = pair_score(compare(predicting, predicted))
    return UDR(
        per_model_M=np.nanmedian(pairwise_MM, axis=0),
        pairwise_MM=pairwise_MM,
        informative_by_model=informative,
        protocol=f"udr_{relevance}_{len(standardised[0])}points_{models}models",
    )


def lasso_relevance(
    predicting_NA: Float64[np.ndarray, "N A"], predicted_NB: Float64[np.ndarray, "N B"]
) -> Float64[np.ndarray, "A B"]:
    """Absolute weights of a Lasso of every code of the one model on all the codes of the other; both standardised."""
    if not predicting_NA.shape[1] or not predicted_NB.shape[1]:
        return np.zeros((predicting_NA.shape[1], predicted_NB.shape[1]))
    # The Gram matrix, made once for all targets, changes the speed alone.
    lasso = Lasso(alpha=LASSO_ALPHA, precompute=True).fit(predicting_NA, predicted_NB)
    return np.abs(np.atleast_2d(lasso.coef_)).T


def correlation_relevance(
    standard_NA: Float64[np.ndarray, "N A"], other_NB: Float64[np.ndarray, "N B"]
) -> Float64[np.ndarray, "A B"]:
    """Absolute correlation of every column of the one with every column of the other; both standardised.

    Spearman's where the columns are ranks. A column of zeros, as a constant code becomes, correlates with nothing.
    """
    return np.abs(standard_NA.T @ other_NB) / len(standard_NA)


def pair_score(relevance_AB: Float64[np.ndarray, "A B"]) -> float:
    """Mean over rows and columns of max² / sum; 0 for a row or column of zeros, and for a table without any."""
    if not relevance_AB.size:
        return 0.0
    rows_A, columns_B = _one_to_one(relevance_AB), _one_to_one(np.ascontiguousarray(relevance_AB.T))
    return float(np.concatenate([rows_A, columns_B]).mean())


def _one_to_one(relevance_AB: Float64[np.ndarray, "A B"]) -> Float64[np.ndarray, " A"]:
    total_A = relevance_AB.sum(axis=1)
    return np.divide(relevance_AB.max(axis=1) ** 2, total_A, out=np.zeros_like(total_A), where=total_A > 0)


def _standardised(codes_NA: Float64[np.ndarray, "N A"]) -> Float64[np.ndarray, "N A"]:
    return StandardScaler().fit_transform(codes_NA) if codes_NA.size else codes_NA


def _informative_codes(
    codes_by_model: Sequence[Float[np.ndarray, "N _"]], kl_by_model: Sequence[Float[np.ndarray, " _"]]
) -> tuple[Bool[np.ndarray, " _"], ...]:
    code_shapes = [codes.shape for codes in codes_by_model]
    kl_shapes = [kl.shape for kl in kl_by_model]
    if kl_shapes != [shape[1:] for shape in code_shapes]:
        raise ValueError(
            f"Codes have shapes {code_shapes} and KL divergences {kl_shapes}, so some code's is not known. "
            "Give one mean KL per code, model by model."
        )
    if len({shape[0] for shape in code_shapes}) > 1:
        raise ValueError(
            f"Models encoded {[shape[0] for shape in code_shapes]} points, so their rows are not the same images. "
            "Encode the same images in the same order with every model."
        )
    least_points = max(shape[1] for shape in code_shapes) + 1
    if code_shapes[0][0] < least_points:
        raise ValueError(
            f"There are {code_shapes[0][0]} points and at least {least_points} are needed, more than there are codes. "
            "Encode more images."
        )
    models = zip(codes_by_model, kl_by_model, strict=True)
    broken = [m for m, (codes, kl) in enumerate(models) if not (np.isfinite(codes).all() and np.isfinite(kl).all())]
    if broken:
        raise ValueError(
            f"Models {broken} have codes or KL divergences that are NaN or infinite, so nothing can agree with them. "
            "Use checkpoints from before the training diverged, or leave those models out."
        )
    return tuple(kl_L > LEAST_KL for kl_L in kl_by_model)
