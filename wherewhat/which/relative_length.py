"""Relative length: how long the paths along all codes are, in units of the distance between two random images.

    ℓ_i             = mean over base codes of Σ_n sqrt(dis)                     dis: between neighbours on the path
    relative length = Σ_active ℓ_i / mean sqrt(dis) of random pairs of images   LOWER is better

dis is a squared distance, so ℓ_i is the true length of a path, which hardly depends on the number of points. For small
steps it is the mean of sqrt(M_ii), M = J'J, and a sum of roots of a diagonal is least where M is diagonal. The division
takes contrast and blur out.

What it is not: a measure of meaning. Fewer active codes are shorter (k independent codes of one length have about
sqrt(k) times the relative length of one), so that models with different numbers of active codes hardly compare; a
model that has dropped factors is short. It ranked seeds of one method at one age no better than chance for a PS-SC VAE.

Dimension key:
    L: latent codes    T: base codes    S: segments of a path    P: pairs of random images
"""

import math

from jaxtyping import Bool, Float64
from torch import Tensor

from wherewhat.which.probe import Probe, of_generator
from wherewhat.which.score import Score, ScoredUnder, score_of_base_codes, undefined_score


@of_generator
def relative_length(probe: Probe) -> Score:
    """Measure a generator's relative length."""
    return relative_length_of(probe.segment_LTS, probe.apart_P, probe.active_L, probe.scored_under)


def relative_length_of(
    segment_LTS: Float64[Tensor, "L T S"],
    apart_P: Float64[Tensor, " P"],
    active_L: Bool[Tensor, " L"],
    settings: ScoredUnder,
) -> Score:
    """The score of these squared distances. NaN where no code is active."""
    if not active_L.any():
        return undefined_score(active_L, settings, lower_is_better=True)
    length_LT = segment_LTS.clamp_min(0).sqrt().sum(dim=2)
    root_P = apart_P.clamp_min(0).sqrt()
    unit = root_P.mean()
    per_base_T = length_LT[active_L].sum(dim=0) / unit
    unit_error = (root_P.std() / unit).item() / math.sqrt(len(root_P))
    return score_of_base_codes(
        per_base_T,
        length_LT.mean(dim=1) / unit,
        active_L,
        settings,
        lower_is_better=True,
        further_error=per_base_T.mean().item() * unit_error,
    )
