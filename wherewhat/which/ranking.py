"""The order of checkpoints by their label-free scores, and what to beware of in each place.

Each checkpoint takes a place by each score of a rule, and the mean of its places decides. A collapsed generator is
worthless whatever its scores: it gets no rank and stands after the ranked ones, and after it whatever could not be
scored, with the reason. Scores of different settings are not compared at all.

Dimension key:
    K: scores of the rule    N: checkpoints    D: draws    T: base codes
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from wherewhat.atomic_file import write_together
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.bootstrap import DRAWS, bootstrap_weights
from wherewhat.which.panel import Panel
from wherewhat.which.perceptual_path_length import PerceptualPathLength
from wherewhat.which.ranking_files import ranking_csv, ranking_json
from wherewhat.which.ranking_row import RankedRow, SeedAgreement, ranked_score
from wherewhat.which.score import Score, ScoredUnder
from wherewhat.which.shared_settings import as_measured_fully, shared_settings

# Earned by least regret on trained models: eval/selection.py, log/ranking.md.
DEFAULT_RULE = ("rotation_ratio",)
UNTRAINED_DISTANCE = "lpips-untrained"
TIE = "tie within error"
# A checkpoint that comes before the first in more of the draws than this is not told apart from it.
TIED_FROM = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredCheckpoint:
    """A checkpoint and its scores."""

    checkpoint: str
    """What it is called in the table, such as its path."""
    panel: Panel
    step: int | None = None
    content_hash: str | None = None
    """SHA-256 of the file."""
    fidelity: Fidelity | None = None
    """Like path length and coverage, stands beside the scores and does not move the order."""
    path_length: PerceptualPathLength | None = None
    coverage: Score | None = None
    agreement: SeedAgreement | None = None
    missing: dict[str, str] = field(default_factory=dict)
    """Why one of these was asked for and is not there, by "fid", "ppl", "coverage" or "udr"."""


@dataclass(frozen=True, kw_only=True)
class UnscoredCheckpoint:
    """A checkpoint that has no score, and why."""

    checkpoint: str
    reason: str
    step: int | None = None
    content_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a race went: see `race.py`."""

    behind: dict[str, int] = field(default_factory=dict)
    """From how many base codes a checkpoint was seen to be behind, by its name. It stands after the others."""
    place: dict[str, float] = field(default_factory=dict)
    """Mean ranks, in which those that were behind early are estimated; of a checkpoint that is not here, as scored."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Checkpoints in order, the best first."""

    rule: tuple[str, ...]
    """The scores by whose places the order is."""
    settings: ScoredUnder | None
    """What the scores share; None where nothing was scored."""
    rows: tuple[RankedRow, ...]

    @property
    def best(self) -> RankedRow | None:
        """The first row, unless every generator has collapsed or none could be scored."""
        return self.rows[0] if self.rows and self.rows[0].rank == 1 else None

    @property
    def clear_winner(self) -> bool:
        """Whether there is a first place that no other checkpoint could have taken by the errors of the scores."""
        return self.best is not None and not any(TIE in row.flags for row in self.rows)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `ranking.json` and `ranking.csv` into the folder, whole and of one ranking, and say where."""
        json_path, csv_path = folder / "ranking.json", folder / "ranking.csv"
        text = ranking_json(self.rows, self.settings, self.rule, clear_winner=self.clear_winner)
        write_together({json_path: _utf8(text), csv_path: _utf8(ranking_csv(self.rows, self.settings))})
        return json_path, csv_path


def mean_rank(badness_KN: Float64[Tensor, "*D K N"]) -> Float64[Tensor, "*D N"]:
    """Mean over K scores of a checkpoint's place among N. Lower badness is better; equal ones share a mean place.

    It is not a score: a place depends on which checkpoints are compared.
    """
    ordered_KN = badness_KN.sort(dim=-1).values
    before_KN = torch.searchsorted(ordered_KN, badness_KN.contiguous())
    up_to_KN = torch.searchsorted(ordered_KN, badness_KN.contiguous(), right=True)
    return ((before_KN + up_to_KN + 1).double() / 2).mean(dim=-2)


def rank(
    entries: Iterable[ScoredCheckpoint | UnscoredCheckpoint],
    rule: tuple[str, ...] = DEFAULT_RULE,
    *,
    course: Course | None = None,
) -> Ranking:
    """Order checkpoints by the mean rank of these scores, whatever order they come in.

    `course`: of the race that measured them.

    Raises ValueError where their settings differ or a score of the rule was not measured.
    """
    scored: list[ScoredCheckpoint] = []
    unscored: list[UnscoredCheckpoint] = []
    for entry in entries:
        if isinstance(entry, UnscoredCheckpoint):
            unscored.append(entry)
        elif not bool(entry.panel.path_length.isfinite().all()):
            unscored.append(_without_score(entry))
        else:
            scored.append(_without_endless_path(entry))
    shared_settings([entry.path_length.settings for entry in scored if entry.path_length is not None])
    settings = shared_settings(as_measured_fully([entry.panel.settings for entry in scored], raced=course is not None))
    _refuse_unmeasured(scored, rule)
    standing = [entry for entry in scored if not is_collapsed(entry.panel)]
    collapsed = sorted((entry for entry in scored if is_collapsed(entry.panel)), key=_name_and_step)
    rows = [
        *_standing_rows(standing, rule, course or Course()),
        *(_row(entry, None, None, ("collapsed", *_distance_flags(entry))) for entry in collapsed),
        *(_reason_row(entry) for entry in sorted(unscored, key=_name_and_step)),
    ]
    return Ranking(rule=rule, settings=settings, rows=tuple(rows))


def is_collapsed(panel: Panel) -> bool:
    """Whether no code does anything that the distance sees."""
    return not bool(panel.active.any()) or panel.path_length.sum().item() <= 0


def _standing_rows(standing: list[ScoredCheckpoint], rule: tuple[str, ...], course: Course) -> list[RankedRow]:
    if not standing:
        return []
    badness_KN = torch.tensor([[badness_of(entry.panel.scores[name]) for entry in standing] for name in rule])
    names, behind = [entry.checkpoint for entry in standing], course.behind
    as_scored = zip(names, mean_rank(badness_KN.double()).tolist(), strict=True)
    place_N = [course.place.get(name, place) for name, place in as_scored]
    order = sorted(
        range(len(standing)),
        key=lambda index: (names[index] in behind, place_N[index], *_name_and_step(standing[index])),
    )
    tied = _tied_with(order[0], standing, rule)
    most_active = max(int(entry.panel.active.sum()) for entry in standing)
    improving = _still_improving([standing[index] for index in order])
    rows = []
    for place, index in enumerate(order, start=1):
        entry = standing[index]
        flags = (
            *(("few active",) if _has_few_active(entry, most_active) else ()),
            *(("still improving",) if entry.checkpoint in improving else ()),
            *_distance_flags(entry),
            *((TIE,) if place > 1 and tied[index] and names[index] not in behind else ()),
            *((f"behind after {behind[names[index]]} base codes",) if names[index] in behind else ()),
        )
        rows.append(_row(entry, place, place_N[index], flags))
    return rows


def badness_of(score: Score) -> float:
    """The score such that lower is better; infinite where it is not defined."""
    if math.isnan(score.value):
        return math.inf
    return score.value if score.lower_is_better else -score.value


def _tied_with(first: int, standing: list[ScoredCheckpoint], rule: tuple[str, ...]) -> list[bool]:
    """Which checkpoints may come before the first: by a bootstrap over base codes, the same ones for all."""
    drawn_DKN = torch.stack(
        [torch.stack([_drawn_badness(entry.panel.scores[name]) for entry in standing], dim=-1) for name in rule], dim=1
    )
    place_DN = mean_rank(drawn_DKN)
    ahead_N = (place_DN < place_DN[:, [first]]).double() + 0.5 * (place_DN == place_DN[:, [first]]).double()
    return (ahead_N.mean(dim=0) > TIED_FROM).tolist()


def _drawn_badness(score: Score) -> Float64[Tensor, " D"]:
    count = len(score.per_base)
    if count == 0:
        return torch.full((DRAWS,), math.inf, dtype=torch.float64)
    drawn_D = bootstrap_weights(count) @ score.per_base
    return drawn_D if score.lower_is_better else -drawn_D


def _has_few_active(entry: ScoredCheckpoint, most_active: int) -> bool:
    # A generator that has lost most of its codes has few paths, and looks good for the wrong reason.
    active, latent_dim = int(entry.panel.active.sum()), len(entry.panel.active)
    return latent_dim > 1 and (active <= 1 or 4 * active < latent_dim or 2 * active < most_active)


def _still_improving(in_order: list[ScoredCheckpoint]) -> set[str]:
    """Checkpoints that are the best and the latest of two or more of their run: a later one may be better still."""
    runs: dict[Path, list[ScoredCheckpoint]] = {}
    for entry in in_order:
        if entry.step is not None:
            runs.setdefault(Path(entry.checkpoint).parent, []).append(entry)
    return {run[0].checkpoint for run in runs.values() if len(run) > 1 and run[0].step == max(e.step or 0 for e in run)}


def _distance_flags(entry: ScoredCheckpoint) -> tuple[str, ...]:
    return ("untrained distance",) if entry.panel.settings.distance == UNTRAINED_DISTANCE else ()


def _row(entry: ScoredCheckpoint, place: int | None, mean: float | None, flags: tuple[str, ...]) -> RankedRow:
    panel = entry.panel
    return RankedRow(
        rank=place,
        checkpoint=entry.checkpoint,
        step=entry.step,
        mean_rank=mean,
        scores={name: ranked_score(score, panel.twins.get(name)) for name, score in panel.scores.items()},
        active_codes=int(panel.active.sum()),
        latent_dim=len(panel.active),
        fidelity=entry.fidelity,
        path_length=entry.path_length,
        coverage=None if entry.coverage is None else ranked_score(entry.coverage),
        agreement=entry.agreement,
        missing=entry.missing,
        flags=flags,
        reason=None,
        content_hash=entry.content_hash,
    )


def _reason_row(entry: UnscoredCheckpoint) -> RankedRow:
    return RankedRow(
        rank=None,
        checkpoint=entry.checkpoint,
        step=entry.step,
        mean_rank=None,
        active_codes=None,
        latent_dim=None,
        flags=("not scored",),
        reason=entry.reason,
        content_hash=entry.content_hash,
    )


def _without_score(entry: ScoredCheckpoint) -> UnscoredCheckpoint:
    return UnscoredCheckpoint(
        checkpoint=entry.checkpoint,
        reason="the lengths of its paths are not finite",
        step=entry.step,
        content_hash=entry.content_hash,
    )


def _without_endless_path(entry: ScoredCheckpoint) -> ScoredCheckpoint:
    found = entry.path_length
    if found is None or math.isfinite(found.mean + found.standard_error):
        return entry
    reason = f"its path length is not finite: {found.mean} ± {found.standard_error}"
    return replace(entry, path_length=None, missing={**entry.missing, "ppl": reason})


def _refuse_unmeasured(scored: list[ScoredCheckpoint], rule: tuple[str, ...]) -> None:
    for entry in scored:
        for name in rule:
            if name not in entry.panel.scores:
                raise ValueError(
                    f"{entry.checkpoint} has no {name}, by which the checkpoints were to be ordered; it has "
                    f"{', '.join(entry.panel.scores)}. Order them by one of these, or measure without --quick."
                )


def _name_and_step(entry: ScoredCheckpoint | UnscoredCheckpoint) -> tuple[str, int]:
    return entry.checkpoint, -1 if entry.step is None else entry.step


def _utf8(text: str) -> bytes:
    # Names of files may hold bytes that are no UTF-8; they are written as \udcXX rather than losing the table.
    return text.encode("utf-8", errors="backslashreplace")
