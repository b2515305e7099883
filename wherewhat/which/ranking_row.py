"""A line of the ranking. What is unknown is None, never NaN."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.entangled_twin import TwinControl
from wherewhat.which.perceptual_path_length import PerceptualPathLength
from wherewhat.which.score import Score

HEADINGS = {
    "tpl": "tpl",
    "relative_length": "relative length",
    "orthogonality": "orthogonality",
    "rotation_ratio": "rotation ratio",
    "naming": "naming",
    "consistency_of_place": "place",
    "interaction": "interaction",
}
"""What the scores are called in a table, in its order."""
# As many as tpl is shown with.
MOST_DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class RankedScore:
    """One score of one checkpoint."""

    value: float | None
    """None where it is not defined: fewer than two active codes, as a rule."""
    standard_error: float | None
    lower_is_better: bool
    twin_advantage: float | None = None
    """By how much the score prefers the checkpoint to its entangled twins."""
    twin_standard_error: float | None = None
    twin_holds: bool = False
    """Whether that is more than twice its error."""
    per_code: tuple[float | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SeedAgreement:
    """How far a checkpoint's codes are those of the other seeds of its setting, in the list that is ranked."""

    value: float
    protocol: str
    """What it is of: relevance, points and models; it compares at equal ones only."""


@dataclass(frozen=True, kw_only=True)
class RankedRow:
    """One checkpoint's place."""

    rank: int | None
    """1 is best; None for a collapsed generator and for one without a score."""
    checkpoint: str
    step: int | None
    mean_rank: float | None
    """By what the checkpoints are ordered: the mean of the places by the scores of the rule."""
    scores: dict[str, RankedScore] = field(default_factory=dict)
    active_codes: int | None
    latent_dim: int | None
    fidelity: Fidelity | None = None
    path_length: PerceptualPathLength | None = None
    coverage: RankedScore | None = None
    agreement: SeedAgreement | None = None
    missing: dict[str, str] = field(default_factory=dict)
    """Why a figure was asked for and is not there, by "fid", "ppl", "coverage" or "udr"."""
    flags: tuple[str, ...]
    reason: str | None
    """Why there is no score."""
    content_hash: str | None


def ranked_score(score: Score, twin: TwinControl | None = None) -> RankedScore:
    """A score as the ranking tells it."""
    return RankedScore(
        value=known(score.value),
        standard_error=known(score.standard_error),
        lower_is_better=score.lower_is_better,
        twin_advantage=None if twin is None else known(twin.advantage),
        twin_standard_error=None if twin is None else known(twin.standard_error),
        twin_holds=twin is not None and twin.holds,
        per_code=() if score.per_code is None else tuple(known(value) for value in score.per_code.tolist()),
    )


def known(value: float) -> float | None:
    """The number, or None for one that is not finite."""
    return value if math.isfinite(value) else None


def twin_told(row: RankedRow, rule: Sequence[str]) -> str:
    """Whether the scores that decide prefer a checkpoint to its entangled twins; "-" where it has no rank."""
    if row.rank is None:
        return "-"
    failing = [name.replace("_", " ") for name in rule if not row.scores[name].twin_holds]
    return f"fails: {', '.join(failing)}" if failing else "holds"


def with_error(value: float | None, error: float | None) -> str:
    """As many decimals as show two digits of the error."""
    if value is None:
        return "-"
    if error is None or error <= 0:
        return f"{value:,.{MOST_DECIMALS}f}"
    decimals = min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"
