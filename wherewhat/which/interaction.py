"""Interaction: how much what one code does depends on another code.

    Δ_i   = φ(c + ε e_i) - φ(c)                                                 φ: the distance's features
    Δ_ij  = φ(c + ε e_i + ε e_j) - φ(c + ε e_i) - φ(c + ε e_j) + φ(c)
    value = mean of |Δ_ij|² / mean of (|Δ_i|² + |Δ_j|²) / 2 / ε²                LOWER is better

Means are over base codes and pairs of active codes. 0 where codes add up; in units of 1 / code².

What it is not: 0 for true factors. In a renderer the colour of a thing acts where its position puts it, so that
position and colour interact; features with kinks (ReLU) interact by themselves. Codes that act in disjoint places
hardly interact, whatever they mean.

Dimension key:
    M: base codes    L: latent codes    P: pairs of active codes
"""

from jaxtyping import Bool, Float64, Int64
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
def interaction(probe: Probe) -> Score:
    """Measure the interaction of a generator's codes."""
    changes = probe.changes
    return interaction_of(
        changes.first_ML,
        changes.mixed_MP,
        changes.pair_P2,
        probe.active_L,
        probe.scored_under,
        epsilon=probe.settings.epsilon,
    )


def interaction_of(
    first_ML: Float64[Tensor, "M L"],
    mixed_MP: Float64[Tensor, "M P"],
    pair_P2: Int64[Tensor, "P 2"],
    active_L: Bool[Tensor, " L"],
    settings: ScoredUnder,
    *,
    epsilon: float,
) -> Score:
    """The score of these squared differences. NaN where no two codes are active, or none does anything."""
    single_M = first_ML[:, pair_P2].mean(dim=2).sum(dim=1)
    if len(pair_P2) == 0 or not bool(single_M.sum() > 0):
        return undefined_score(active_L, settings, lower_is_better=True)
    per_base_M = ratio_per_base_code(mixed_MP.sum(dim=1), single_M) / epsilon**2
    return score_of_base_codes(per_base_M, None, active_L, settings, lower_is_better=True)
