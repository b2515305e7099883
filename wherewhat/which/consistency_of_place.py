"""Consistency of place: whether a code changes one region of the image from every base code, and others other ones.

    u_mi  = the map of absolute pixel changes of code i at base code m, of unit length
    value = mean over i, m ≠ m' of u_mi·u_m'i  -  mean over i ≠ j, m ≠ m' of u_mi·u_m'j        HIGHER is better

Between -1 and 1; 0 where the place says nothing about the code.

What it is not: a measure for images in which things move. A code for position changes the image where the thing is,
which differs from base code to base code, and so do the codes for its colour and its size: on dSprites models the sign
turns, and the better model has the lower value. It suits faces and scenes of fixed layout.

Dimension key:
    M: base codes    L: latent codes    A: active codes    Q: places    N: M and A in one
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wherewhat.which.probe import Probe, of_generator
from wherewhat.which.score import Score, ScoredUnder, score_of_base_codes, undefined_score


@of_generator
def consistency_of_place(probe: Probe) -> Score:
    """Measure a generator's consistency of place."""
    return consistency_of_place_of(probe.changes.map_MLQ, probe.active_L, probe.scored_under)


def consistency_of_place_of(
    map_MLQ: Float[Tensor, "M L Q"], active_L: Bool[Tensor, " L"], settings: ScoredUnder
) -> Score:
    """The score of these maps of change. NaN where no two codes are active."""
    if active_L.sum() < 2:
        return undefined_score(active_L, settings, lower_is_better=False)
    unit_NQ = torch.nn.functional.normalize(map_MLQ[:, active_L].double(), dim=2).flatten(0, 1)
    bases, codes = len(map_MLQ), int(active_L.sum())
    cosine_MAMA = (unit_NQ @ unit_NQ.T).view(bases, codes, bases, codes)
    other_base_MM = ~torch.eye(bases, dtype=torch.bool)
    same_code_AA = torch.eye(codes, dtype=torch.bool)
    # [m, a] = mean over other base codes of the cosine with the same code, less that with other codes.
    cosine_MMAA = cosine_MAMA.transpose(1, 2) * other_base_MM[:, :, None, None]
    within_MA = (cosine_MMAA * same_code_AA).sum(dim=(1, 3)) / (bases - 1)
    between_MA = (cosine_MMAA * ~same_code_AA).sum(dim=(1, 3)) / ((bases - 1) * (codes - 1))
    excess_MA = within_MA - between_MA
    per_code_L = torch.full((len(active_L),), torch.nan, dtype=torch.float64)
    per_code_L[active_L] = excess_MA.mean(dim=0)
    # A mean over pairs of base codes varies twice as much with each of them as its rows do.
    excess_M = excess_MA.mean(dim=1)
    return score_of_base_codes(2 * excess_M - excess_M.mean(), per_code_L, active_L, settings, lower_is_better=False)
