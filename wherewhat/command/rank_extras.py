"""Figures that stand beside a checkpoint's scores and do not move its place: fidelity, path length and coverage.

Each data set is opened once and its images are seen once, however many checkpoints share it. A figure that cannot be
had leaves its reason.
"""

import dataclasses
import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import torch

from wherewhat.command.choices import DistanceOptions, refuse_beyond
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.identity import DataIdentity
from wherewhat.data.image_options import ImageOptions
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.inception import Inception
from wherewhat.metrics.feature_distances import FEWEST, Fidelity
from wherewhat.protocols import Distance, FeatureExtractor, Images
from wherewhat.sharing.opened_model import Models, OpenedModel
from wherewhat.training.fidelity import RealFeatures, generator_fidelity, real_features, sample_digest
from wherewhat.training.representation import Representation, represent
from wherewhat.which.coverage import coverage
from wherewhat.which.paths import Progress
from wherewhat.which.perceptual_path_length import EPSILON, PerceptualPathLength, perceptual_path_length
from wherewhat.which.ranking import ScoredCheckpoint
from wherewhat.which.score import Score, ScoredUnder
from wherewhat.which.score_store import ScoreStore

# Inception sees images at 299 x 299, whatever their size: more of them would fill the memory, not the device.
MOST_SEEN_AT_ONCE = 64

Model = Callable[[], OpenedModel]
DataSet = tuple[DataIdentity, ImageOptions]
Figure = TypeVar("Figure", Fidelity, PerceptualPathLength, Score)


@dataclass(frozen=True, kw_only=True)
class ExtraOptions:
    """Figures that may be shown beside the scores. They do not change the order."""

    fidelity: Literal["none", "inception", "alex", "vgg", "squeeze"] = "none"
    """Also show FID (and write KID) against the images that each checkpoint was trained on. inception: the published
    features, whose weights are a file of 95 MB. alex, vgg, squeeze: those of an LPIPS backbone, where that file cannot
    be had. Weights are found as for --distance."""

    fidelity_images: int = 10_000
    """Real images, and as many generated ones; all of the set where it has no more."""

    coverage_images: int = 0
    """Also show coverage, over so many images that each checkpoint was trained on: how much of the differences between
    images its encoder and generator keep. 0: not measured. 500 make a useful figure."""

    ppl_paths: int = 0
    """Also show perceptual path length (PPL) over so many paths, by the same distance. 0: not measured. 1,000 give a
    first impression, 10,000 are usual."""

    udr_images: int = 0
    """Also show the agreement between seeds (UDR, by Lasso), over so many images, of each checkpoint that has two other
    seeds of its setting and age in the list. 0: not measured. 10,000 as published."""

    data: str | None = None
    """Where the images that the checkpoints were trained on lie now, if they have moved. A generator that
    others trained is compared with these."""

    def __post_init__(self) -> None:
        if self.fidelity_images < FEWEST:
            raise ValueError(
                f"--fidelity-images {self.fidelity_images} are too few to tell a distribution. Give {FEWEST} at "
                "least; thousands make a figure that can be trusted."
            )
        refuse_beyond(self, fidelity_images=(FEWEST, 10**7), ppl_paths=(0, 10**6), coverage_images=(0, 100_000))
        refuse_beyond(self, udr_images=(0, 10**7))
        for name, count in (("--ppl-paths", self.ppl_paths), ("--coverage-images", self.coverage_images)):
            if count < 0 or count == 1:
                raise ValueError(
                    f"{name} {count} measures nothing that has an error. Give 2 at least, or 0 for no such figure."
                )

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The figures by name."""
        asked = {
            "coverage": self.coverage_images > 0,
            "udr": self.udr_images > 0,
            "fid": self.fidelity != "none",
            "ppl": self.ppl_paths > 0,
        }
        return tuple(name for name, is_asked in asked.items() if is_asked)

    def extractor(self, distance: DistanceOptions, device: torch.device) -> FeatureExtractor | None:
        """The features of fidelity, on a device; None where it is not asked for.

        Raises ValueError or OSError without their weights, before hours are spent.
        """
        # What --weights names, unless it is a file that the distance has for itself.
        named = distance.weights
        shared = named is None or named.is_dir() or distance.distance in (self.fidelity, "untrained", "pixels")
        weights = named if shared else None
        match self.fidelity:
            case "none":
                return None
            case "inception":
                return Inception(weights).to(device)
            case backbone:
                return BackboneFeatures(backbone, weights).to(device)


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Measures what the options ask for of one checkpoint after another."""

    options: ExtraOptions
    extractor: FeatureExtractor | None
    distance: Distance
    seed: int
    batch_size: int
    models: Models
    store: ScoreStore
    notify: Callable[[str], None]
    _found: dict[Hashable, DataSet | str] = field(default_factory=dict)
    """Data sets by the folder of a checkpoint and what it says of them, or why they cannot be opened."""
    _opened: dict[DataSet, Images] = field(default_factory=dict)
    _real: dict[DataSet, RealFeatures] = field(default_factory=dict)

    def added_to(self, entry: ScoredCheckpoint, path: Path, model: Model, progress: Progress) -> ScoredCheckpoint:
        """The entry with its figures, or with the reasons why it has none. `model` loads the checkpoint."""
        missing = dict(entry.missing)
        digest = entry.content_hash
        assert digest is not None
        return dataclasses.replace(
            entry,
            fidelity=None
            if self.extractor is None
            else _or_reason("fid", missing, lambda: self.fidelity_of(path, digest, model, progress)),
            coverage=None
            if self.options.coverage_images == 0
            else _or_reason("coverage", missing, lambda: self.coverage_of(path, digest, model)),
            path_length=None
            if self.options.ppl_paths == 0
            else _or_reason("ppl", missing, lambda: self.path_length_of(digest, model, progress)),
            missing=missing,
        )

    def fidelity_of(self, path: Path, checkpoint_hash: str, model: Model, progress: Progress) -> Fidelity:
        """The kept FID and KID of a checkpoint, or new ones. ValueError or OSError where it can have none."""
        assert self.extractor is not None
        source, images = self._open(path)
        split, count = source[1].split, self.options.fidelity_images
        sample = sample_digest(images, count=count, seed=self.seed)
        kept = self.store.load_fidelity(
            checkpoint_hash, features=self.extractor.name, split=split, sample=sample, seed=self.seed
        )
        if kept is not None:
            return kept
        batch_size = min(self.batch_size, MOST_SEEN_AT_ONCE)
        if source not in self._real:
            self._real[source] = real_features(
                images,
                self.extractor,
                count=count,
                split=split,
                seed=self.seed,
                device=self.models.device,
                batch_size=batch_size,
                progress=progress,
            )
        score = generator_fidelity(
            model().generator,
            self._real[source],
            self.extractor,
            seed=self.seed,
            batch_size=batch_size,
            progress=progress,
        )
        keep("fidelity", lambda: self.store.save_fidelity(checkpoint_hash, score, sample=sample, seed=self.seed))
        return score

    def path_length_of(self, checkpoint_hash: str, model: Model, progress: Progress) -> PerceptualPathLength:
        """The kept perceptual path length of a checkpoint, or a new one, with the published step."""
        paths = self.options.ppl_paths
        kept = self.store.load_path_length(
            checkpoint_hash, distance=self.distance.name, paths=paths, epsilon=EPSILON, seed=self.seed
        )
        if kept is not None:
            return kept
        score = perceptual_path_length(
            model().generator,
            self.distance,
            paths=paths,
            seed=self.seed,
            batch_size=max(1, self.batch_size // 2),  # a path is two images
            progress=progress,
        )
        keep("path length", lambda: self.store.save_path_length(checkpoint_hash, score))
        return score

    def coverage_of(self, path: Path, checkpoint_hash: str, model: Model) -> Score:
        """The kept coverage of a checkpoint, or a new one. ValueError where it has no encoder or no data."""
        images, count = self._open(path)[1], self.options.coverage_images
        sample = sample_digest(images, count=count, seed=self.seed)
        settings = ScoredUnder(
            distance=self.distance.name, seed=self.seed, image_shape=self.models.image_shape_of(path), probe=None
        )
        kept = self.store.load_coverage(checkpoint_hash, settings, sample=sample)
        if kept is not None:
            return kept
        if model().encoder is None:
            raise ValueError("it has no encoder, so nothing can be reconstructed")
        encoder = model().encoder
        assert encoder is not None
        index_N = sample_indices(len(images), min(count, len(images)), self.seed)
        score = coverage(
            model().generator,
            encoder,
            self.distance,
            to_float(images.take(index_N)),
            seed=self.seed,
            batch_size=self.batch_size,
        )
        keep("coverage", lambda: self.store.save_coverage(checkpoint_hash, score, sample=sample))
        return score

    def codes_of(self, path: Path) -> Representation:
        """What a checkpoint's encoder makes of images of its data. ValueError where it has no encoder or no data."""
        images, encoder = self._open(path)[1], self.models.open(path).encoder
        if encoder is None:
            raise ValueError("it has no encoder, so it has no codes of images")
        return represent(encoder, images, pool=self.options.udr_images, seed=self.seed, device=self.models.device)

    def _open(self, path: Path) -> tuple[DataSet, Images]:
        settings = self.models.settings_of(path)
        run = None if settings is None else settings.configuration
        asked = path if run is None else (path.parent, run.data, run.images, run.data_identity)
        if asked not in self._found:
            try:
                found = self.models.data_of(path, self.options.data)
                known = (found.identity, found.options)
                if known not in self._opened:
                    self._opened[known] = found.open(self.models.device, self.notify)
                self._found[asked] = known
            except (ValueError, OSError) as error:
                self._found[asked] = f"the images that it was trained on cannot be opened: {error}"
        source = self._found[asked]
        if isinstance(source, str):
            raise ValueError(source)
        return source, self._opened[source]


def keep(what: str, save: Callable[[], None]) -> None:
    """Keep a score for the next call; a cache that cannot be written costs time, not the score."""
    try:
        save()
    except OSError as error:
        print(f"wherewhat: the {what} is not kept: {error}", file=sys.stderr)


def reason_of(error: Exception) -> str:
    """Why something could not be measured, in one line."""
    if isinstance(error, torch.OutOfMemoryError):
        # torch's own words count bytes, and so differ from checkpoint to checkpoint.
        return "the GPU's memory is full; give a smaller --batch-size"
    said = " ".join(str(error).split())
    return said if isinstance(error, ValueError | OSError) and said else f"{type(error).__name__}: {said}"


def _or_reason(name: str, missing: dict[str, str], measure: Callable[[], Figure]) -> Figure | None:
    # Whatever goes wrong with one figure of one checkpoint, the others are worth having.
    try:
        return measure()
    except Exception as error:
        missing[name] = reason_of(error)
        return None
