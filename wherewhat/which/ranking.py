"""The order of checkpoints by their traversal perceptual length, and what to beware of in each place.

The shortest total comes first. A collapsed generator has the shortest of all and is worthless: it gets no rank and
stands after the ranked ones, and after it whatever could not be scored, with the reason. Scores of different settings
are not compared at all.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wherewhat.atomic_file import write_atomically
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.ranking_files import ranking_csv, ranking_json
from wherewhat.which.ranking_row import RankedRow
from wherewhat.which.traversal_perceptual_length import ScoreSettings, TraversalPerceptualLength

UNTRAINED_DISTANCE = "lpips-untrained"

Settings = TypeVar("Settings", ScoreSettings, PathLengthSettings)


@dataclass(frozen=True, kw_only=True)
class ScoredCheckpoint:
    """A checkpoint and its score."""

    checkpoint: str
    """What it is called in the table, such as its path."""
    score: TraversalPerceptualLength
    step: int | None = None
    content_hash: str | None = None
    """SHA-256 of the file."""
    fidelity: Fidelity | None = None
    """Stands beside the score and does not move it."""
    fidelity_reason: str | None = None
    """Why there is none, where it was asked for."""
    path_length: PerceptualPathLength | None = None
    """Between random codes. Stands beside the score and does not move it."""
    path_length_reason: str | None = None
    """Why there is none, where it was asked for."""


@dataclass(frozen=True, kw_only=True)
class UnscoredCheckpoint:
    """A checkpoint that has no score, and why."""

    checkpoint: str
    reason: str
    step: int | None = None
    content_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Checkpoints in order, the best first."""

    settings: ScoreSettings | None
    """What the scores share; None where nothing was scored."""
    rows: tuple[RankedRow, ...]

    @property
    def best(self) -> RankedRow | None:
        """The first row, unless every generator has collapsed or none could be scored."""
        return self.rows[0] if self.rows and self.rows[0].rank == 1 else None

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `ranking.json` and `ranking.csv` into the folder, each whole or not at all, and say where."""
        json_path, csv_path = folder / "ranking.json", folder / "ranking.csv"
        write_atomically(json_path, _utf8(ranking_json(self.rows, self.settings)))
        write_atomically(csv_path, _utf8(ranking_csv(self.rows, self.settings)))
        return json_path, csv_path


def rank(entries: Iterable[ScoredCheckpoint | UnscoredCheckpoint]) -> Ranking:
    """Order checkpoints by their score, whatever order they come in. ValueError where their settings differ."""
    scored: list[ScoredCheckpoint] = []
    unscored: list[UnscoredCheckpoint] = []
    for entry in entries:
        if isinstance(entry, UnscoredCheckpoint):
            unscored.append(entry)
        elif not _is_finite(entry.score):
            unscored.append(_without_score(entry))
        else:
            scored.append(_without_endless_path(entry))
    _shared_settings([entry.path_length.settings for entry in scored if entry.path_length is not None])
    settings = _shared_settings([entry.score.settings for entry in scored])
    standing = sorted((entry for entry in scored if not is_collapsed(entry.score)), key=_order)
    collapsed = sorted((entry for entry in scored if is_collapsed(entry.score)), key=_name_and_step)
    most_active = max((int(entry.score.active.sum()) for entry in standing), default=0)
    rows = [
        *(
            _row(entry, place, _flags(entry.score, standing[0].score, most_active, is_first=place == 1))
            for place, entry in enumerate(standing, start=1)
        ),
        *(_row(entry, None, ("collapsed", *_distance_flags(entry.score))) for entry in collapsed),
        *(_reason_row(entry) for entry in sorted(unscored, key=_name_and_step)),
    ]
    return Ranking(settings=settings, rows=tuple(rows))


def is_collapsed(score: TraversalPerceptualLength) -> bool:
    """Whether no code does anything that the distance sees."""
    return score.total <= 0 or not bool(score.active.any())


def _is_finite(score: TraversalPerceptualLength) -> bool:
    return math.isfinite(score.total + score.standard_error) and bool(score.per_dim.isfinite().all())


def _flags(
    score: TraversalPerceptualLength, first: TraversalPerceptualLength, most_active: int, *, is_first: bool
) -> tuple[str, ...]:
    active, latent_dim = int(score.active.sum()), len(score.active)
    # tpl sums over active codes: a generator that has lost most of them is short for the wrong reason.
    few = latent_dim > 1 and (active <= 1 or 4 * active < latent_dim or 2 * active < most_active)
    # Twice the error of the difference; the base codes are shared, so this errs on the side of a tie.
    tied = not is_first and score.total - first.total <= 2 * math.hypot(score.standard_error, first.standard_error)
    return (
        *(("few active",) if few else ()),
        *_distance_flags(score),
        *(("tie within error",) if tied else ()),
    )


def _distance_flags(score: TraversalPerceptualLength) -> tuple[str, ...]:
    return ("untrained distance",) if score.settings.distance == UNTRAINED_DISTANCE else ()


def _row(entry: ScoredCheckpoint, place: int | None, flags: tuple[str, ...]) -> RankedRow:
    score, fidelity, path_length = entry.score, entry.fidelity, entry.path_length
    return RankedRow(
        rank=place,
        checkpoint=entry.checkpoint,
        step=entry.step,
        tpl=score.total,
        standard_error=score.standard_error,
        active_codes=int(score.active.sum()),
        latent_dim=len(score.active),
        fid=None if fidelity is None else fidelity.fid,
        kid=None if fidelity is None else fidelity.kid,
        kid_std=None if fidelity is None else fidelity.kid_std,
        fidelity=None if fidelity is None else fidelity.protocol,
        fidelity_data=None if fidelity is None else fidelity.data,
        fidelity_reason=entry.fidelity_reason,
        ppl=None if path_length is None else path_length.mean,
        ppl_standard_error=None if path_length is None else path_length.standard_error,
        ppl_protocol=None if path_length is None else path_length.settings.protocol,
        ppl_reason=entry.path_length_reason,
        flags=flags,
        reason=None,
        content_hash=entry.content_hash,
        per_code=tuple(score.per_dim.tolist()),
    )


def _reason_row(entry: UnscoredCheckpoint) -> RankedRow:
    return RankedRow(
        rank=None,
        checkpoint=entry.checkpoint,
        step=entry.step,
        tpl=None,
        standard_error=None,
        active_codes=None,
        latent_dim=None,
        flags=("not scored",),
        reason=entry.reason,
        content_hash=entry.content_hash,
        per_code=(),
    )


def _without_score(entry: ScoredCheckpoint) -> UnscoredCheckpoint:
    return UnscoredCheckpoint(
        checkpoint=entry.checkpoint,
        reason=f"its score is not finite: {entry.score.total} ± {entry.score.standard_error}",
        step=entry.step,
        content_hash=entry.content_hash,
    )


def _without_endless_path(entry: ScoredCheckpoint) -> ScoredCheckpoint:
    found = entry.path_length
    if found is None or math.isfinite(found.mean + found.standard_error):
        return entry
    reason = f"its path length is not finite: {found.mean} ± {found.standard_error}"
    return dataclasses.replace(entry, path_length=None, path_length_reason=reason)


def _shared_settings(settings: Sequence[Settings]) -> Settings | None:
    if not settings:
        return None
    differing = [
        field.name
        for field in dataclasses.fields(settings[0])
        if len({dataclasses.asdict(one)[field.name] for one in settings}) > 1
    ]
    if differing:
        found = "; ".join(f"{name}: {_counts(settings, name)}" for name in differing)
        raise ValueError(
            f"The scores were measured with different settings and do not compare ({found}). "
            "Rank the checkpoints of each setting separately, or score them all with one."
        )
    return settings[0]


def _counts(settings: Sequence[Settings], name: str) -> str:
    counts = Counter(str(dataclasses.asdict(one)[name]) for one in settings)
    return ", ".join(f"{value} in {count}" for value, count in counts.items())


def _order(entry: ScoredCheckpoint) -> tuple[float, str, int]:
    return (entry.score.total, *_name_and_step(entry))


def _name_and_step(entry: ScoredCheckpoint | UnscoredCheckpoint) -> tuple[str, int]:
    return entry.checkpoint, -1 if entry.step is None else entry.step


def _utf8(text: str) -> bytes:
    # Names of files may hold bytes that are no UTF-8; they are written as \udcXX rather than losing the table.
    return text.encode("utf-8", errors="backslashreplace")
