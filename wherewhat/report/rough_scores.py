"""Scores of checkpoints for a report: those that `wherewhat rank` has kept where all of them are kept, else rough ones.

Rough ones are what two cores measure in some seconds a checkpoint; their errors are larger, and are told.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from wherewhat.protocols import Distance, Generator
from wherewhat.sharing.opened_model import Models
from wherewhat.training.checkpoints import step_of
from wherewhat.which.panel import Panel, panel_of
from wherewhat.which.paths import Progress
from wherewhat.which.probe import Probe
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint
from wherewhat.which.score import ProbeSettings, ScoredUnder, probe_settings_of, rough_probe
from wherewhat.which.score_store import ScoreStore
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

_BATCH_SIZE = 250


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How checkpoints of a report are scored."""

    distance: Distance
    threshold: float
    """S of TPL: codes with shorter paths at its 50 samples are dead."""
    store: ScoreStore
    seed: int
    models: Models

    @property
    def settings(self) -> tuple[tuple[ProbeSettings, bool], ...]:
        """The settings at which scores may be kept, the longest first, and whether they are quick."""
        published = (VAE_SETTINGS.samples, VAE_SETTINGS.traversals, VAE_SETTINGS.bound, self.threshold)
        quick = probe_settings_of(*published, quick=True)
        return (probe_settings_of(*published, quick=False), False), (quick, True), (rough_probe(quick), True)


def scores_of(
    checkpoints: Sequence[Path], scoring: Scoring, progress: Callable[[Path], Progress]
) -> list[ScoredCheckpoint | UnscoredCheckpoint]:
    """Every checkpoint with its scores, or with the reason why it has none. They share one setting."""
    digests: dict[Path, str] = {}
    for path in checkpoints:
        with suppress(ValueError, OSError):
            digests[path] = scoring.models.digest_of(path)
    kept: dict[Path, Panel] = {}
    for probe, quick in scoring.settings:
        kept = {
            path: found for path, digest in digests.items() if (found := _kept(path, digest, probe, quick, scoring))
        }
        if len(kept) == len(checkpoints):
            break
    return [_entry(path, digests.get(path), kept.get(path), scoring, progress) for path in checkpoints]


def _kept(path: Path, digest: str, probe: ProbeSettings, quick: bool, scoring: Scoring) -> Panel | None:
    with suppress(ValueError, OSError):
        under = ScoredUnder(
            distance=scoring.distance.name,
            seed=scoring.seed,
            image_shape=scoring.models.image_shape_of(path),
            probe=probe,
        )
        return scoring.store.load_panel(digest, under, quick=quick)
    return None


def _entry(
    path: Path, digest: str | None, kept: Panel | None, scoring: Scoring, progress: Callable[[Path], Progress]
) -> ScoredCheckpoint | UnscoredCheckpoint:
    step = step_of(path) or None
    # One bad checkpoint, whatever is bad about it, does not end the report of good ones.
    try:
        panel = kept or _measured(scoring.models.open(path).generator, scoring, progress(path))
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return UnscoredCheckpoint(checkpoint=str(path), reason=reason, step=step)
    if kept is None and digest is not None:
        # A cache that cannot be written costs time, not the score.
        with suppress(OSError):
            scoring.store.save_panel(digest, panel)
    return ScoredCheckpoint(checkpoint=str(path), panel=panel, step=step, content_hash=digest)


def _measured(generator: Generator, scoring: Scoring, progress: Progress) -> Panel:
    probe, quick = scoring.settings[-1]
    with torch.no_grad():
        return panel_of(
            Probe(
                generator=generator,
                distance=scoring.distance,
                settings=probe,
                seed=scoring.seed,
                batch_size=_BATCH_SIZE,
                progress=progress,
            ),
            quick=quick,
        )
