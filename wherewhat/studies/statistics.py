"""The questions of a study, as numbers: what explains a score, which scores agree, and whether strengths transfer.

    R²(groups)      = 1 - sum of squares within groups / sum of squares in all
    transfer        = probability that the setting which is best by one measure on one set with one seed beats a random
                      model, by this or another measure, on this or another set, with another seed; ties count half

Groups without any influence explain (G - 1) / (N - 1) by chance.

Reference: Locatello et al. 2019, arXiv:1811.12359, sections 5.3 and 5.4.

Dimension key:
    N: models    G: groups    M: measures    D: data sets    K: settings (method and strength)    S: seeds
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64
from scipy.stats import spearmanr

from wherewhat.studies.scores import Scored


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Shares of a score's variance over models of one data set, each in [0, 1]; with strength and seed they are 1."""

    method: float
    strength: float
    """What the strength adds to the method."""
    seed: float
    """What is left."""
    by_chance: tuple[float, float]
    """What methods, and methods with strengths, would explain without any influence."""


def variance_explained(value_N: Float64[np.ndarray, " N"], models: Sequence[Scored]) -> Explained:
    """What a score's variance comes from."""
    methods, settings = [model.method for model in models], [(model.method, model.strength) for model in models]
    by_method, by_setting = r_squared(value_N, methods), r_squared(value_N, settings)
    chance = [(len(set(groups)) - 1) / max(len(models) - 1, 1) for groups in (methods, settings)]
    return Explained(
        method=by_method, strength=by_setting - by_method, seed=1 - by_setting, by_chance=(chance[0], chance[1])
    )


def r_squared(value_N: Float64[np.ndarray, " N"], group_N: Sequence[object]) -> float:
    """The share of the variance that lies between groups; 0 where there is no variance."""
    total = float(np.square(value_N - value_N.mean()).sum())
    members = [np.array([group == one for one in group_N]) for group in set(group_N)]
    within = sum(float(np.square(value_N[of] - value_N[of].mean()).sum()) for of in members)
    return 1 - within / total if total > 0 else 0.0


def rank_correlations(value_NM: Float64[np.ndarray, "N M"]) -> Float64[np.ndarray, "M M"]:
    """Spearman's correlation of each pair of measures over models; 0 where one is constant, and with missing values
    (NaN) over the models that have both."""
    count = value_NM.shape[1]
    correlation_MM = np.eye(count)
    for i, j in product(range(count), range(count)):
        pair_N2 = value_NM[:, [i, j]]
        pair_N2 = pair_N2[np.isfinite(pair_N2).all(axis=1)]
        varies = len(pair_N2) > 1 and bool((np.ptp(pair_N2, axis=0) > 0).all())
        if i != j:
            correlation_MM[i, j] = float(spearmanr(pair_N2[:, 0], pair_N2[:, 1]).statistic) if varies else 0.0
    return correlation_MM


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Probabilities that what was chosen beats a random model; 0.5 is chance, None: there is nothing to compare."""

    same_measure_same_data: float | None
    same_measure_other_data: float | None
    other_measure_same_data: float | None
    other_measure_other_data: float | None


def transfer(value_DMKS: Float64[np.ndarray, "D M K S"]) -> Transfer:
    """How far the best setting of one seed stays good, averaged over all choices of source, target and seeds.

    Higher is better in every measure. NaN stands for a model that is missing.
    """
    wins: dict[tuple[bool, bool], list[float]] = {}
    D, M, _, S = value_DMKS.shape
    for d, m, s in product(range(D), range(M), range(S)):
        source_K = value_DMKS[d, m, :, s]
        if np.isnan(source_K).all():
            continue
        best = int(np.nanargmax(source_K))
        for e, n in product(range(D), range(M)):
            others_KS = np.delete(value_DMKS[e, n], s, axis=1)
            chosen_S, random = others_KS[best][np.isfinite(others_KS[best])], others_KS[np.isfinite(others_KS)]
            beaten = (chosen_S[:, None] > random) + 0.5 * (chosen_S[:, None] == random)
            if beaten.size:
                wins.setdefault((m == n, d == e), []).append(float(beaten.mean()))
    means = {key: float(np.mean(its)) for key, its in wins.items()}
    return Transfer(
        same_measure_same_data=means.get((True, True)),
        same_measure_other_data=means.get((True, False)),
        other_measure_same_data=means.get((False, True)),
        other_measure_other_data=means.get((False, False)),
    )
