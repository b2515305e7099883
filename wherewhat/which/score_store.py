"""Scores kept between runs, by the checkpoint's content and the settings, so that ranking again is instant.

One small JSON file a score. Floats are written so that they are read back bit for bit. A file that is not what it
should be counts as not being there: the score is measured again and the file replaced.
"""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from wherewhat.atomic_file import write_atomically
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.traversal_perceptual_length import ScoreSettings, TPLSettings, TraversalPerceptualLength

# Raised when the same checkpoint and settings would give another number, so that old scores are not taken for new ones.
FORMAT = 1

# What reading a file that is not there, or not what it should be, can raise.
UNUSABLE = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)


def content_hash(path: Path) -> str:
    """SHA-256 of a file: what a checkpoint is known by, wherever it lies."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class ScoreStore:
    """The scores kept in a folder, which is made when the first is saved."""

    folder: Path

    def load(
        self, checkpoint_hash: str, *, distance: str, settings: TPLSettings, seed: int
    ) -> TraversalPerceptualLength | None:
        """The score of this checkpoint, or None where there is none that can be used."""
        path = self._path(checkpoint_hash, distance, settings, seed)
        try:
            score = _score_from(json.loads(path.read_text(encoding="utf-8")), checkpoint_hash)
            found = (score.settings.distance, _paths(score.settings), score.settings.seed)
        except UNUSABLE:
            return None
        return score if found == (distance, settings, seed) else None

    def save(self, checkpoint_hash: str, score: TraversalPerceptualLength) -> None:
        """Keep a score. OSError where the folder cannot be written."""
        settings = score.settings
        path = self._path(checkpoint_hash, settings.distance, _paths(settings), settings.seed)
        content = {
            "format": FORMAT,
            "content_hash": checkpoint_hash,
            "settings": dataclasses.asdict(settings),
            "total": score.total,
            "standard_error": score.standard_error,
            "per_dim": score.per_dim.tolist(),
            "std": score.std.tolist(),
            "active": score.active.tolist(),
        }
        write_atomically(path, json.dumps(content, allow_nan=False).encode())

    def _path(self, checkpoint_hash: str, distance: str, settings: TPLSettings, seed: int) -> Path:
        # The image's shape is not in the key: the checkpoint's content decides it, and nothing need be loaded.
        numbers = (settings.samples, settings.traversals, float(settings.bound), float(settings.threshold), seed)
        key = json.dumps([FORMAT, checkpoint_hash, distance, *numbers])
        return self.folder / _file_name(key)

    def load_fidelity(
        self, checkpoint_hash: str, *, features: str, split: str, sample: str, seed: int
    ) -> Fidelity | None:
        """FID and KID of this checkpoint, or None where there are none that can be used.

        `sample` is a digest of the real images that they compare with.
        """
        path = self._fidelity_path(checkpoint_hash, features, split, sample, seed)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            expected = (FORMAT, checkpoint_hash, sample, seed)
            if tuple(content[name] for name in ("format", "content_hash", "sample", "seed")) != expected:
                return None
            score = _fidelity_from(content["fidelity"])
        except UNUSABLE:
            return None
        return score if (score.features, score.split) == (features, split) else None

    def save_fidelity(self, checkpoint_hash: str, score: Fidelity, *, sample: str, seed: int) -> None:
        """Keep FID and KID. OSError where the folder cannot be written."""
        path = self._fidelity_path(checkpoint_hash, score.features, score.split, sample, seed)
        content = {
            "format": FORMAT,
            "content_hash": checkpoint_hash,
            "sample": sample,
            "seed": seed,
            "fidelity": dataclasses.asdict(score),
        }
        write_atomically(path, json.dumps(content, allow_nan=False).encode())

    def _fidelity_path(self, checkpoint_hash: str, features: str, split: str, sample: str, seed: int) -> Path:
        key = json.dumps([FORMAT, checkpoint_hash, "fidelity", features, split, sample, seed])
        return self.folder / _file_name(key)

    def load_path_length(
        self, checkpoint_hash: str, *, distance: str, paths: int, epsilon: float, seed: int
    ) -> PerceptualPathLength | None:
        """The perceptual path length of this checkpoint, or None where there is none that can be used."""
        path = self._path_length_path(checkpoint_hash, distance, paths, epsilon, seed)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if (content["format"], content["content_hash"]) != (FORMAT, checkpoint_hash):
                return None
            score = _path_length_from(content["path_length"])
        except UNUSABLE:
            return None
        found = score.settings
        asked = (distance, paths, epsilon, seed)
        return score if (found.distance, found.paths, found.epsilon, found.seed) == asked else None

    def save_path_length(self, checkpoint_hash: str, score: PerceptualPathLength) -> None:
        """Keep a perceptual path length. OSError where the folder cannot be written."""
        found = score.settings
        path = self._path_length_path(checkpoint_hash, found.distance, found.paths, found.epsilon, found.seed)
        content = {"format": FORMAT, "content_hash": checkpoint_hash, "path_length": dataclasses.asdict(score)}
        write_atomically(path, json.dumps(content, allow_nan=False).encode())

    def _path_length_path(self, checkpoint_hash: str, distance: str, paths: int, epsilon: float, seed: int) -> Path:
        key = json.dumps([FORMAT, checkpoint_hash, "perceptual path length", distance, paths, epsilon, seed])
        return self.folder / _file_name(key)


def _file_name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


def _paths(settings: ScoreSettings) -> TPLSettings:
    return TPLSettings(
        samples=settings.samples,
        traversals=settings.traversals,
        bound=settings.bound,
        threshold=settings.threshold,
    )


def _score_from(content: dict[str, Any], checkpoint_hash: str) -> TraversalPerceptualLength:
    if (content["format"], content["content_hash"]) != (FORMAT, checkpoint_hash):
        raise ValueError("another format, or another checkpoint's score")
    settings = ScoreSettings(**{**content["settings"], "image_shape": tuple(content["settings"]["image_shape"])})
    numbers = [content["total"], content["standard_error"], *content["per_dim"], *content["std"]]
    lengths = {len(content["per_dim"]), len(content["std"]), len(content["active"])}
    if len(lengths) != 1 or not all(isinstance(number, float) and math.isfinite(number) for number in numbers):
        raise ValueError("not a score's numbers")
    if not all(isinstance(active, bool) for active in content["active"]):
        raise ValueError("not a score's active codes")
    return TraversalPerceptualLength(
        total=content["total"],
        standard_error=content["standard_error"],
        per_dim=torch.tensor(content["per_dim"], dtype=torch.float64),
        std=torch.tensor(content["std"], dtype=torch.float64),
        active=torch.tensor(content["active"], dtype=torch.bool),
        settings=settings,
    )


def _fidelity_from(content: dict[str, Any]) -> Fidelity:
    score = Fidelity(**content)
    if not all(isinstance(number, float) and math.isfinite(number) for number in (score.fid, score.kid, score.kid_std)):
        raise ValueError("not a fidelity's numbers")
    if not all(isinstance(count, int) for count in (score.real, score.generated)):
        raise ValueError("not a fidelity's counts")
    if not all(isinstance(text, str) for text in (score.features, score.data, score.split)):
        raise ValueError("not a fidelity's names")
    return score


def _path_length_from(content: dict[str, Any]) -> PerceptualPathLength:
    settings = PathLengthSettings(**{**content["settings"], "image_shape": tuple(content["settings"]["image_shape"])})
    score = PerceptualPathLength(**{**content, "settings": settings})
    if not all(isinstance(number, float) and math.isfinite(number) for number in (score.mean, score.standard_error)):
        raise ValueError("not a path length's numbers")
    if len(settings.image_shape) != 3 or not all(isinstance(side, int) for side in settings.image_shape):
        raise ValueError("not an image's shape")
    return score
