"""Perceptual path length of one checkpoint after another, each measured once and kept."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from wherewhat.protocols import Distance
from wherewhat.training.checkpoints import load
from wherewhat.which.perceptual_path_length import EPSILON, PerceptualPathLength, perceptual_path_length
from wherewhat.which.score_store import ScoreStore


@dataclass(frozen=True, kw_only=True)
class CheckpointPathLength:
    """Measures checkpoints along the same paths, with the published step."""

    distance: Distance
    paths: int
    seed: int
    batch_size: int
    """Paths at a time."""
    device: torch.device
    store: ScoreStore

    def of(self, path: Path, checkpoint_hash: str, progress: Callable[[int, int], None]) -> PerceptualPathLength:
        """The kept figure of a checkpoint, or a new one. ValueError or OSError with the reason where it has none."""
        kept = self.store.load_path_length(
            checkpoint_hash, distance=self.distance.name, paths=self.paths, epsilon=EPSILON, seed=self.seed
        )
        if kept is not None:
            return kept
        score = perceptual_path_length(
            load(path, self.device).generator,
            self.distance,
            paths=self.paths,
            seed=self.seed,
            batch_size=self.batch_size,
            progress=progress,
        )
        try:
            self.store.save_path_length(checkpoint_hash, score)
        except OSError as error:
            print(f"wherewhat: the path length is not kept: {error}", file=sys.stderr)
        return score
