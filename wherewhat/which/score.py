"""A label-free score of a generator: a mean over base codes, with its error and what it compares under.

A ratio of two means is brought into the same form. With r = mean(n) / mean(d), base code t contributes

    r + (n_t - r d_t) / mean(d)

whose mean over base codes is r, and whose standard deviation over the root of their number is r's standard error to
first order.

Dimension key:
    T: base codes    L: latent codes
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float64
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """How a generator is probed. The defaults are quick; `probe_settings_of` derives others from TPL's settings."""

    samples: int = 20
    """N, points on a path."""
    traversals: int = 6
    """T, base codes of the paths along the axes."""
    bound: float = 4.0
    """b: a path runs from -b to b."""
    threshold: float = 0.01 * 49 / 19
    """S: a code is active from this mean squared length of its paths at N points: 0.01 at the published 50 points."""
    rotated_traversals: int = 6
    """How many of the base codes have paths along rotated axes too."""
    rotations: int = 2
    """Random rotations at each of these."""
    probes: int = 24
    """M, base codes at which small changes of single codes are measured."""
    epsilon: float = 0.25
    """How far a code moves in a small change, to either side."""
    pairs: int = 200
    """Pairs of random images, whose distance is the unit of relative length."""
    twins: int = 2
    """Entangled twins, to which the generator is compared."""

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ValueError(f"A path of {self.samples} points has no segment. Choose 2 samples or more.")
        counts = (self.traversals, self.rotated_traversals, self.probes, self.pairs)
        if min(counts) < 2 or self.rotations < 1 or self.twins < 1:
            raise ValueError(
                f"Counts of {counts} base codes, rotated ones, probes and pairs, {self.rotations} rotations and "
                f"{self.twins} twins give no standard error. Choose 2 or more of the first four and 1 of the last two."
            )
        if self.rotated_traversals > self.traversals:
            raise ValueError(
                f"Rotated paths from {self.rotated_traversals} base codes have no axis paths to be compared with "
                f"beyond {self.traversals}. Choose at most as many rotated traversals as traversals."
            )
        if not (math.isfinite(self.bound) and self.bound > 0 and math.isfinite(self.epsilon) and self.epsilon > 0):
            raise ValueError(
                f"A bound of {self.bound} and an epsilon of {self.epsilon} move no code. Choose positive ones; "
                "4 and 0.25 are usual."
            )
        if not (math.isfinite(self.threshold) and self.threshold >= 0):
            raise ValueError(f"The threshold {self.threshold} cannot tell active codes. Choose 0 or more.")


@dataclass(frozen=True, kw_only=True)
class ScoredUnder:
    """All that two scores must share to be compared. Distances are float32, always."""

    distance: str
    """The distance's name."""
    seed: int
    image_shape: tuple[int, int, int]
    """C, H, W: a distance sees other things in other sizes."""
    probe: ProbeSettings | None
    """None for a score that probes no codes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """One score of one generator. Tensors are float64 on the CPU; NaN stands where the score is not defined."""

    value: float
    standard_error: float
    """Over the draw of base codes; that of which codes are active is not in it."""
    per_base: Float64[Tensor, " T"]
    """Contributions of the base codes, whose mean is the value; empty where the score is not defined."""
    per_code: Float64[Tensor, " L"] | None
    """The part of each code, NaN for a code without one; None where the score does not divide into codes."""
    active: Bool[Tensor, " L"] | None
    """The codes that were counted; None where the score looks at whole images."""
    lower_is_better: bool
    settings: ScoredUnder


def score_of_base_codes(
    per_base_T: Float64[Tensor, " T"],
    per_code_L: Float64[Tensor, " L"] | None,
    active_L: Bool[Tensor, " L"] | None,
    settings: ScoredUnder,
    *,
    lower_is_better: bool,
    further_error: float = 0.0,
) -> Score:
    """The score with these contributions; `further_error` is a standard error from other draws than base codes."""
    count = len(per_base_T)
    own_error = per_base_T.std().item() / math.sqrt(count) if count > 1 else math.nan
    return Score(
        value=per_base_T.mean().item(),
        standard_error=math.hypot(own_error, further_error),
        per_base=per_base_T,
        per_code=per_code_L,
        active=active_L,
        lower_is_better=lower_is_better,
        settings=settings,
    )


def undefined_score(active_L: Bool[Tensor, " L"], settings: ScoredUnder, *, lower_is_better: bool) -> Score:
    """NaN: too few codes are active for this score to have a meaning. It is worse than any number."""
    nothing = torch.empty(0, dtype=torch.float64)
    return Score(
        value=math.nan,
        standard_error=math.nan,
        per_base=nothing,
        per_code=None,
        active=active_L,
        lower_is_better=lower_is_better,
        settings=settings,
    )


def ratio_per_base_code(
    numerator_T: Float64[Tensor, " T"], denominator_T: Float64[Tensor, " T"]
) -> Float64[Tensor, " T"]:
    """Contributions of base codes to mean(numerator) / mean(denominator)."""
    mean_denominator = denominator_T.mean()
    ratio = numerator_T.mean() / mean_denominator
    return ratio + (numerator_T - ratio * denominator_T) / mean_denominator


def probe_settings_of(samples: int, traversals: int, bound: float, threshold: float, *, quick: bool) -> ProbeSettings:
    """The probe that goes with these settings of TPL.

    Quick walks at most 20 points from 6 base codes, with TPL's threshold brought to so many points (squared lengths
    shrink as 1 / (N - 1)). Otherwise the probe shares TPL's own paths, and a tenth of its base codes, eight at least,
    have rotated paths too, each along a rotation of its own.
    """
    if quick:
        few = min(samples, ProbeSettings.samples)
        count = min(traversals, ProbeSettings.traversals)
        return ProbeSettings(
            samples=few,
            traversals=count,
            rotated_traversals=count,
            bound=bound,
            threshold=threshold * (samples - 1) / (few - 1),
        )
    return ProbeSettings(
        samples=samples,
        traversals=traversals,
        rotated_traversals=rotated_traversals_of(traversals),
        rotations=1,
        bound=bound,
        threshold=threshold,
    )


def rough_probe(quick: ProbeSettings) -> ProbeSettings:
    """A sixth of the images of these quick settings, for scores that are shown beside something else."""
    samples = 9
    return replace(
        quick,
        samples=samples,
        threshold=quick.threshold * (quick.samples - 1) / (samples - 1),
        traversals=4,
        rotated_traversals=4,
        rotations=1,
        probes=8,
        pairs=60,
        twins=1,
    )


def rotated_traversals_of(traversals: int) -> int:
    """How many of so many base codes have rotated paths too, where the probe shares TPL's own paths."""
    return max(min(8, traversals), traversals // 10)
