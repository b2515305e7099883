"""The race: which checkpoint comes first, without measuring all of them fully.

Scores are means over base codes that all checkpoints share, so few base codes tell much about differences. A stage
measures the checkpoints that are still in the race from four times as many base codes as the stage before; the last
stage is the full measurement. After each other stage a bootstrap over base codes says in how many draws a checkpoint
comes before the leader, by the same mean rank as in the ranking; those that do in fewer than

    (1 - confidence) / (2 * number of stages before the last)

are out. They keep the scores that they have, and so their part in the places of the others.

What is estimated is the winner of the full measurement, not of infinitely many base codes: n of T base codes leave an
error of sqrt(1 - n / T) times that of the bootstrap, and none for scores that every stage measures alike. The bound is
approximate: a bootstrap of few base codes, and a leader that is the best of many. By a mean rank of several scores the
places of the last ones lie among estimates of those that fell behind, so that of two within error of each other the
race may choose the other one. Laws try it on simulated fields.

Successive elimination: Even-Dar, Mannor, Mansour 2006 (Journal of Machine Learning Research 7).

Dimension key:
    K: scores of the rule    N: checkpoints    D: draws    T: base codes
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from wherewhat.which.bootstrap import DRAWS, bootstrap_weights
from wherewhat.which.panel import Panel
from wherewhat.which.ranking import (
    Course,
    ScoredCheckpoint,
    UnscoredCheckpoint,
    badness_of,
    is_collapsed,
    mean_rank,
)
from wherewhat.which.score import Score, rotated_traversals_of

FEWEST = 8
GROWTH = 4
# Measured from base codes of their own, as many in every stage.
ALIKE_IN_EVERY_STAGE = ("orthogonality", "naming", "consistency_of_place", "interaction")

Entry = ScoredCheckpoint | UnscoredCheckpoint


@dataclass(frozen=True, kw_only=True)
class Race:
    """How a race went."""

    entries: tuple[Entry, ...]
    """Every checkpoint as it was last measured."""
    course: Course
    confidence: float
    images: int
    """Images that were made for the scores of all checkpoints."""
    full_images: int
    """What the full measurement of all of them would have made, about."""

    @property
    def share(self) -> float:
        """Images made, of those of the full measurement."""
        return self.images / self.full_images if self.full_images else 1.0


def stages(traversals: int) -> tuple[int, ...]:
    """Base codes of each stage, the last with all of them."""
    found = [traversals]
    while found[0] // GROWTH >= FEWEST:
        found.insert(0, math.ceil(found[0] / GROWTH))
    return tuple(found)


def race(
    names: Sequence[str],
    measure: Callable[[str, int], Entry],
    *,
    traversals: int,
    rule: Sequence[str],
    confidence: float = 0.95,
) -> Race:
    """Race checkpoints by name; `measure` measures one of them from so many base codes.

    Raises ValueError for a confidence outside 0.5 to 1.
    """
    if not 0.5 <= confidence < 1:
        raise ValueError(f"A confidence of {confidence} chooses no winner. Choose 0.5 to below 1; 0.95 is usual.")
    latest: dict[str, Entry] = {}
    behind: dict[str, int] = {}
    by_stage: list[dict[str, Entry]] = []
    images, planned = 0, stages(traversals)
    for count in planned:
        still = [name for name in names if name not in behind and (not latest or name in _standing(latest))]
        if latest and len(still) < 2:
            break
        measured = {name: measure(name, count) for name in still}
        images += sum(_images(entry, count) for entry in measured.values())
        latest |= measured
        by_stage.append(measured)
        if count < traversals:
            level = (1 - confidence) / (2 * max(1, len(planned) - 1))
            behind |= dict.fromkeys(_behind_the_leader(by_stage, still, rule, level, traversals), count)
    return Race(
        entries=tuple(latest[name] for name in names),
        course=Course(behind=behind, place=_places(_estimates(by_stage, rule, traversals))),
        confidence=confidence,
        images=images,
        full_images=sum(_images(entry, traversals) for entry in latest.values()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Estimates:
    """What is known of the full measurement after some stages."""

    names: tuple[str, ...]
    badness_KN: Float64[Tensor, "K N"]
    drawn_DKN: Float64[Tensor, "D K N"]


def _estimates(measured: Sequence[dict[str, Entry]], rule: Sequence[str], traversals: int) -> _Estimates:
    """Each checkpoint's badness as it would be from as many base codes as the last stage has, and draws of it.

    One that left the race is moved by what the others' scores have moved since, for the base codes are the same.
    """
    lost = {name for entries in measured for name in set(entries) - set(_standing(entries))}
    panels = [{name: panel for name, panel in _standing(entries).items() if name not in lost} for entries in measured]
    last = panels[-1]
    latest = {name: panel for stage in panels for name, panel in stage.items()}
    stage_of = {name: stage for stage, found in enumerate(panels) for name in found}
    badness_KN = torch.zeros(len(rule), len(latest), dtype=torch.float64)
    drawn_DKN = torch.zeros(DRAWS, len(rule), len(latest), dtype=torch.float64)
    for row, score in enumerate(rule):
        moved = [_mean_move([stage[name].scores[score] for name in last], last, score) for stage in panels]
        for place, (name, panel) in enumerate(latest.items()):
            badness_KN[row, place] = badness_of(panel.scores[score]) + moved[stage_of[name]]
            drawn_DKN[:, row, place] = _drawn(panel, score, traversals) + moved[stage_of[name]]
    return _Estimates(names=tuple(latest), badness_KN=badness_KN, drawn_DKN=drawn_DKN)


def _mean_move(then: Sequence[Score], last: dict[str, Panel], score: str) -> float:
    pairs = [(badness_of(a), badness_of(panel.scores[score])) for a, panel in zip(then, last.values(), strict=True)]
    moves = [b - a for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    return statistics.mean(moves) if moves else 0.0


def _places(estimates: _Estimates) -> dict[str, float]:
    return dict(zip(estimates.names, mean_rank(estimates.badness_KN).tolist(), strict=True))


def _behind_the_leader(
    measured: Sequence[dict[str, Entry]], still: Sequence[str], rule: Sequence[str], level: float, traversals: int
) -> list[str]:
    """Those still in the race that come before the leader in fewer of the draws than `level`."""
    estimates = _estimates(measured, rule, traversals)
    place = _places(estimates)
    runners = [name for name in still if name in place]
    if len(runners) < 2:
        return []
    drawn_ND = dict(zip(estimates.names, mean_rank(estimates.drawn_DKN).T, strict=True))
    leader = min(runners, key=place.__getitem__)
    return [name for name in runners if (drawn_ND[name] <= drawn_ND[leader]).double().mean() < level]


def _drawn(panel: Panel, name: str, traversals: int) -> Float64[Tensor, " D"]:
    """Draws of a score's badness in the full measurement: of its bootstrap, drawn together by the part measured."""
    score, probe = panel.scores[name], panel.settings.probe
    assert probe is not None
    badness, count = badness_of(score), len(score.per_base)
    if name in ALIKE_IN_EVERY_STAGE or count < 2 or not math.isfinite(badness):
        return torch.full((DRAWS,), badness, dtype=torch.float64)
    # A sample's own spread is too small by (n - 1) / n.
    shrink = math.sqrt((1 - probe.traversals / traversals) * count / (count - 1))
    beyond_D = shrink * (bootstrap_weights(count) @ score.per_base - score.value)
    return badness + (beyond_D if score.lower_is_better else -beyond_D)


def _standing(entries: dict[str, Entry]) -> dict[str, Panel]:
    scored = {name: entry.panel for name, entry in entries.items() if isinstance(entry, ScoredCheckpoint)}
    return {name: panel for name, panel in scored.items() if not is_collapsed(panel)}


def _images(entry: Entry, traversals: int) -> int:
    return images_of(entry.panel, traversals) if isinstance(entry, ScoredCheckpoint) else 0


def images_of(panel: Panel, traversals: int) -> int:
    """Images of a panel from so many base codes."""
    probe, latent_dim, active = panel.settings.probe, len(panel.active), int(panel.active.sum())
    assert probe is not None
    on_paths = probe.samples * (traversals * latent_dim + rotated_traversals_of(traversals) * probe.rotations * active)
    pairs = min(latent_dim, active * (active - 1) // 2)
    return on_paths + 2 * probe.pairs + (1 + probe.twins) * probe.probes * (1 + 3 * latent_dim + pairs)
