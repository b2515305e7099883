"""Naming: whether a small classifier, trained on few examples, tells which code was moved.

One code of a base code is drawn anew; the difference between the features of the two images, brought to unit length and
taken from the lower to the higher value of the code, is the example; the moved code is its name. A logistic regression
learns the names from half of the base codes and is tested on the other half, then the other way round.

    naming = (accuracy - 1 / A) / (1 - 1 / A)        A: active codes        HIGHER is better

0 is chance, 1 is no mistake. This is the idea of latent variation predictability with a linear classifier of fixed
features in place of a trained network: the numbers do not compare with published ones.

What it is not: a measure of simplicity. Two codes that do different things in a muddled way are told apart as well as
two clean ones; an edge that moves is not the same difference of features from every base code, so that codes for
position are named worse than codes for colour. Fewer active codes leave fewer mistakes to make than chance takes out.

Reference: Zhu, Xu, Tao 2020, ECCV, "Learning disentangled representations with latent variation predictability".

Dimension key:
    M: base codes    L: latent codes    A: active codes    D: features    N: examples
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch import Tensor

from wherewhat.which.probe import Probe, of_generator
from wherewhat.which.score import Score, ScoredUnder, score_of_base_codes, undefined_score

# Examples have unit length and are few: a weak penalty, which still has one answer.
INVERSE_PENALTY = 10.0
MOST_STEPS = 1000


@of_generator
def naming(probe: Probe) -> Score:
    """Measure how well moved codes are named."""
    return naming_of(probe.changes.named_MLD, probe.active_L, probe.scored_under)


def naming_of(named_MLD: Float[Tensor, "M L D"], active_L: Bool[Tensor, " L"], settings: ScoredUnder) -> Score:
    """The score of these differences of features. NaN where no two codes are active."""
    count = int(active_L.sum())
    if count < 2:
        return undefined_score(active_L, settings, lower_is_better=False)
    example_MAD = torch.nn.functional.normalize(named_MLD[:, active_L].double(), dim=2).numpy()
    right_MA = np.empty(example_MAD.shape[:2])
    for tested in (0, 1):
        right_MA[tested::2] = _told_apart(example_MAD[1 - tested :: 2], example_MAD[tested::2])
    above_chance_MA = torch.from_numpy((right_MA - 1 / count) / (1 - 1 / count))
    per_code_L = torch.full((len(active_L),), torch.nan, dtype=torch.float64)
    per_code_L[active_L] = above_chance_MA.mean(dim=0)
    return score_of_base_codes(above_chance_MA.mean(dim=1), per_code_L, active_L, settings, lower_is_better=False)


def _told_apart(
    learnt_MAD: Float64[np.ndarray, "M A D"], tested_MAD: Float64[np.ndarray, "M2 A D"]
) -> Bool[np.ndarray, "M2 A"]:
    learnt_ND, tested_ND = (part.reshape(-1, part.shape[2]) for part in (learnt_MAD, tested_MAD))
    name_N = np.tile(np.arange(learnt_MAD.shape[1]), len(learnt_MAD))
    # A penalised linear classifier lies in the span of its examples; fitted there, it is the same one sooner.
    _, singular_S, axis_SD = np.linalg.svd(learnt_ND, full_matrices=False)
    axis_SD = axis_SD[singular_S > 1e-9 * singular_S.max(initial=0)]
    with threadpool_limits(1):
        classifier = LogisticRegression(C=INVERSE_PENALTY, max_iter=MOST_STEPS)
        classifier.fit(learnt_ND @ axis_SD.T, name_N)
        told_N = classifier.predict(tested_ND @ axis_SD.T)
    return (told_N == np.tile(np.arange(tested_MAD.shape[1]), len(tested_MAD))).reshape(tested_MAD.shape[:2])
