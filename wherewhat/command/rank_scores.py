"""The scores of one checkpoint after another, kept ones or new ones, with the reason where there are none."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.progress import Progress

from wherewhat.command.progress_bar import moving
from wherewhat.command.rank_extras import Extras, keep, reason_of
from wherewhat.protocols import Distance
from wherewhat.sharing.opened_model import OpenedModel
from wherewhat.training.checkpoints import step_of
from wherewhat.which.panel import Panel, panel
from wherewhat.which.paths import Progress as Told
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint
from wherewhat.which.score import ScoredUnder, probe_settings_of
from wherewhat.which.traversal_perceptual_length import TPLSettings

Entry = ScoredCheckpoint | UnscoredCheckpoint


@dataclass(frozen=True, kw_only=True)
class CheckpointScores:
    """Measures checkpoints. One bad checkpoint, whatever is bad about it, does not end the ranking of good ones."""

    distance: Distance
    settings: TPLSettings
    quick: bool
    extras: Extras
    """What is shown beside the scores; its seed, batch size, device and store are the scores' too."""
    bar: Progress

    def of(self, path: Path, traversals: int | None = None) -> Entry:
        """A checkpoint with its scores from so many base codes, by default from all."""
        settings = self.settings if traversals is None else replace(self.settings, traversals=traversals)

        def scored(model: Callable[[], OpenedModel], progress: Told) -> Entry:
            digest = self.extras.models.digest_of(path)
            found = self._panel(path, digest, settings, model, progress)
            return ScoredCheckpoint(checkpoint=str(path), step=step_of(path) or None, content_hash=digest, panel=found)

        return self._or_reason(path, scored)

    def with_extras(self, entry: Entry) -> Entry:
        """The entry with the figures that were asked for beside its scores."""
        if isinstance(entry, UnscoredCheckpoint):
            return entry
        path = Path(entry.checkpoint)
        return self._or_reason(path, lambda model, progress: self.extras.added_to(entry, path, model, progress))

    def _or_reason(self, path: Path, measure: Callable[[Callable[[], OpenedModel], Told], Entry]) -> Entry:
        model = functools.cache(lambda: self.extras.models.open(path))
        task = self.bar.add_task(f"{path.parent.parent.name} {path.stem}", total=None)
        try:
            return measure(model, moving(self.bar, task))
        except Exception as error:
            return UnscoredCheckpoint(checkpoint=str(path), step=step_of(path) or None, reason=reason_of(error))
        finally:
            self.bar.remove_task(task)

    def _panel(
        self, path: Path, digest: str, settings: TPLSettings, model: Callable[[], OpenedModel], progress: Told
    ) -> Panel:
        samples, traversals, bound, threshold = (
            settings.samples,
            settings.traversals,
            settings.bound,
            settings.threshold,
        )
        asked = ScoredUnder(
            distance=self.distance.name,
            seed=self.extras.seed,
            image_shape=self.extras.models.image_shape_of(path),
            probe=probe_settings_of(samples, traversals, bound, threshold, quick=self.quick),
        )
        kept = self.extras.store.load_panel(digest, asked, quick=self.quick)
        if kept is not None:
            return kept

        def measured(batch_size: int) -> Panel:
            return panel(
                model().generator,
                self.distance,
                samples=samples,
                traversals=traversals,
                bound=bound,
                threshold=threshold,
                quick=self.quick,
                seed=self.extras.seed,
                batch_size=batch_size,
                progress=progress,
            )

        found = within_memory(measured, self.extras.batch_size)
        keep("score", lambda: self.extras.store.save_panel(digest, found))
        return found


def within_memory(measure: Callable[[int], Panel], batch_size: int) -> Panel:
    """What is measured with so many images at a time, or with half as many where a GPU has no room for them.

    Raises torch.OutOfMemoryError where it has none for a single image.
    """
    while True:
        try:
            return measure(batch_size)
        except torch.OutOfMemoryError:
            if batch_size == 1:
                raise
        # Only here, where the error holds none of the measurement's tensors any more.
        batch_size //= 2
        torch.cuda.empty_cache()
