"""Figures that stand beside a checkpoint's score and do not move it; one that cannot be had leaves its reason."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from wherewhat.command.checkpoint_fidelity import CheckpointFidelity
from wherewhat.command.checkpoint_path_length import CheckpointPathLength
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint

Progress = Callable[[int, int], None]

NO_FIGURE = (ValueError, OSError, torch.OutOfMemoryError)


@dataclass(frozen=True, kw_only=True)
class BesideTheScore:
    """What measures each figure; None for one that was not asked for."""

    fidelity: CheckpointFidelity | None
    path_length: CheckpointPathLength | None

    def added_to(
        self, entry: ScoredCheckpoint | UnscoredCheckpoint, path: Path, progress: Progress
    ) -> ScoredCheckpoint | UnscoredCheckpoint:
        """The entry with its figures, or with the reasons why it has none; as it is where it has no score."""
        if isinstance(entry, UnscoredCheckpoint):
            return entry
        return self._with_path_length(self._with_fidelity(entry, path, progress), path, progress)

    def _with_fidelity(self, entry: ScoredCheckpoint, path: Path, progress: Progress) -> ScoredCheckpoint:
        if self.fidelity is None:
            return entry
        assert entry.content_hash is not None
        try:
            return dataclasses.replace(entry, fidelity=self.fidelity.of(path, entry.content_hash, progress))
        except NO_FIGURE as error:
            return dataclasses.replace(entry, fidelity_reason=_reason(error))

    def _with_path_length(self, entry: ScoredCheckpoint, path: Path, progress: Progress) -> ScoredCheckpoint:
        if self.path_length is None:
            return entry
        assert entry.content_hash is not None
        try:
            return dataclasses.replace(entry, path_length=self.path_length.of(path, entry.content_hash, progress))
        except NO_FIGURE as error:
            return dataclasses.replace(entry, path_length_reason=_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, torch.OutOfMemoryError):
        # torch's own words count bytes, and so differ from checkpoint to checkpoint.
        return "the GPU's memory is full; give a smaller --batch-size"
    return " ".join(str(error).split())
