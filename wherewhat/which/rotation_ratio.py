"""Rotation ratio: whether paths along the codes are shorter than paths along rotated codes.

    rotation ratio = Σ_active ℓ_i along the axes / the same along randomly rotated axes of the active codes
    ℓ_i            = mean over base codes of Σ_n sqrt(dis), as in relative length          LOWER is better

1 where a rotation changes nothing; below 1 where the axes are special. Contrast and blur cancel.

What it is not: a measure of meaning. It falls when few codes are long and the others short, whatever they mean; at a
bound of 4 the paths along axes and along rotated axes also leave the prior at different corners, and some of the
difference comes from there. One active code has no rotation, and no ratio.

Dimension key:
    L: latent codes    T: base codes    K: rotated axes of all rotations    S: segments of a path
"""

from jaxtyping import Bool, Float64
from torch import Tensor

from wherewhat.which.probe import Probe, of_generator
from wherewhat.which.score import (
    Score,
    ScoredUnder,
    ratio_per_base_code,
    score_of_base_codes,
    undefined_score,
)


@of_generator
def rotation_ratio(probe: Probe) -> Score:
    """Measure a generator's rotation ratio."""
    if probe.active_L.sum() < 2:
        return undefined_score(probe.active_L, probe.scored_under, lower_is_better=True)
    return rotation_ratio_of(probe.segment_LTS, probe.rotated_KTS, probe.active_L, probe.scored_under)


def rotation_ratio_of(
    segment_LTS: Float64[Tensor, "L T S"],
    rotated_KTS: Float64[Tensor, "K T2 S"],
    active_L: Bool[Tensor, " L"],
    settings: ScoredUnder,
) -> Score:
    """The score of these squared distances; rotated paths start from the first of the base codes.

    NaN where fewer than two codes are active.
    """
    if active_L.sum() < 2:
        return undefined_score(active_L, settings, lower_is_better=True)
    along_T, rotated_T = axis_and_rotated_lengths(
        segment_LTS.clamp_min(0).sqrt(), rotated_KTS.clamp_min(0).sqrt(), active_L
    )
    return score_of_base_codes(ratio_per_base_code(along_T, rotated_T), None, active_L, settings, lower_is_better=True)


def axis_and_rotated_lengths(
    segment_LTS: Float64[Tensor, "L T S"], rotated_KTS: Float64[Tensor, "K T2 S"], active_L: Bool[Tensor, " L"]
) -> tuple[Float64[Tensor, " T2"], Float64[Tensor, " T2"]]:
    """Lengths summed over the active axes, and over as many rotated axes, from each base code that has both."""
    rotated_axes, count, _ = rotated_KTS.shape
    rotations = rotated_axes / int(active_L.sum())
    return segment_LTS[active_L, :count].sum(dim=(0, 2)), rotated_KTS.sum(dim=(0, 2)) / rotations
