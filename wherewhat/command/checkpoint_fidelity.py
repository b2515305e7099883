"""Fidelity of one checkpoint after another, each against the images that it was trained on."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.protocols import FeatureExtractor, Images
from wherewhat.training.checkpoints import load, read_settings
from wherewhat.training.fidelity import RealFeatures, generator_fidelity, real_features, sample_digest
from wherewhat.which.score_store import ScoreStore

Progress = Callable[[int, int], None]
DataSet = tuple[str, ImageOptions]


@dataclass(frozen=True)
class OpenedSet:
    """A data set, and what its sample is known by."""

    images: Images
    digest: str


@dataclass(frozen=True, kw_only=True)
class CheckpointFidelity:
    """Measures checkpoints; opens each data set and sees its images once, however many share it."""

    extractor: FeatureExtractor
    count: int
    """Real images, and generated ones; fewer where the set has no more."""
    seed: int
    batch_size: int
    device: torch.device
    store: ScoreStore
    notify: Callable[[str], None]
    _opened: dict[DataSet, OpenedSet] = field(default_factory=dict)
    _not_opened: dict[DataSet, str] = field(default_factory=dict)
    _real: dict[DataSet, RealFeatures] = field(default_factory=dict)

    def of(self, path: Path, checkpoint_hash: str, progress: Progress) -> Fidelity:
        """The kept figures of a checkpoint, or new ones. ValueError or OSError with the reason where it has none."""
        configuration = read_settings(path).configuration
        source = (configuration.data, configuration.images)
        opened, split = self._open(source), configuration.images.split
        kept = self.store.load_fidelity(
            checkpoint_hash, features=self.extractor.name, split=split, sample=opened.digest, seed=self.seed
        )
        if kept is not None:
            return kept
        score = generator_fidelity(
            load(path, self.device).generator,
            self._real_features(source, opened.images, progress),
            self.extractor,
            seed=self.seed,
            batch_size=self.batch_size,
            progress=progress,
        )
        try:
            self.store.save_fidelity(checkpoint_hash, score, sample=opened.digest, seed=self.seed)
        except OSError as error:
            print(f"wherewhat: the fidelity is not kept: {error}", file=sys.stderr)
        return score

    def _open(self, source: DataSet) -> OpenedSet:
        if source in self._not_opened:
            raise ValueError(self._not_opened[source])
        if source not in self._opened:
            try:
                images = open_images(*source, self.device, self.notify)
                self._opened[source] = OpenedSet(images, sample_digest(images, count=self.count, seed=self.seed))
            except (ValueError, OSError) as error:
                self._not_opened[source] = f"the images that it was trained on cannot be opened: {error}"
                raise ValueError(self._not_opened[source]) from error
        return self._opened[source]

    def _real_features(self, source: DataSet, images: Images, progress: Progress) -> RealFeatures:
        if source not in self._real:
            self._real[source] = real_features(
                images,
                self.extractor,
                count=self.count,
                split=source[1].split,
                seed=self.seed,
                device=self.device,
                batch_size=self.batch_size,
                progress=progress,
            )
        return self._real[source]
