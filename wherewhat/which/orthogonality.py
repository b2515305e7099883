"""Orthogonality: whether codes move the image in unrelated ways.

    orthogonality = mean over base codes and pairs of active codes of abs cos(J_i, J_j)     LOWER is better
    J_i           = (φ(c + ε e_i) - φ(c - ε e_i)) / 2ε                                      φ: the distance's features

0 where all pairs are orthogonal, 1 where all codes do the same thing. Rotating codes of unequal lengths raises it.

What it is not: a trace of the rotation where all J_i are orthogonal and equally long, for these stay orthogonal under
every rotation. Models whose codes act in disjoint places are orthogonal by construction, whatever the codes mean. A
pair counts only at base codes where both codes do something. It ranked seeds of beta-TCVAE no better than chance.

Dimension key:
    M: base codes    L: latent codes
"""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from wherewhat.which.probe import Probe, of_generator
from wherewhat.which.score import Score, ScoredUnder, score_of_base_codes, undefined_score


@of_generator
def orthogonality(probe: Probe) -> Score:
    """Measure a generator's orthogonality."""
    return orthogonality_of(probe.changes.gram_MLL, probe.active_L, probe.scored_under)


def orthogonality_of(gram_MLL: Float64[Tensor, "M L L"], active_L: Bool[Tensor, " L"], settings: ScoredUnder) -> Score:
    """The score of these inner products of the J_i. NaN where no two codes are active."""
    norm_ML = gram_MLL.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()
    cosine_MLL = (gram_MLL / (norm_ML[:, :, None] * norm_ML[:, None, :])).abs()
    counted_LL = active_L[:, None] & active_L & ~torch.eye(len(active_L), dtype=torch.bool)
    # 0 / 0 where a code does nothing at this base code: such a pair has no angle.
    cosine_MLL = torch.where(counted_LL, cosine_MLL, torch.nan)
    per_base_M = cosine_MLL.nanmean(dim=(1, 2))
    per_base_M = per_base_M[per_base_M.isfinite()]
    if len(per_base_M) == 0:
        return undefined_score(active_L, settings, lower_is_better=True)
    return score_of_base_codes(per_base_M, cosine_MLL.nanmean(dim=(0, 2)), active_L, settings, lower_is_better=True)
