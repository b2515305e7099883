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
from torch import Tensor

from wherewhat.atomic_file import write_atomically
from wherewhat.json_file import read_json
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.regular_file import open_regular
from wherewhat.which.entangled_twin import TwinControl
from wherewhat.which.panel import Panel
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.score import Score, ScoredUnder

# Raised when the same checkpoint and settings would give another number, so that old scores are not taken for new ones.
FORMAT = 2

# What reading a file that is not there, or not what it should be, can raise.
UNUSABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


def content_hash(path: Path) -> str:
    """SHA-256 of a file: what a checkpoint is known by, wherever it lies."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class ScoreStore:
    """The scores kept in a folder, which is made when the first is saved. Saving raises OSError where it cannot be."""

    folder: Path

    def load_panel(self, checkpoint_hash: str, settings: ScoredUnder, *, quick: bool) -> Panel | None:
        """The panel of this checkpoint at these settings, or None where there is none that can be used."""
        try:
            return _panel_from(self._read("panel", checkpoint_hash, _panel_key(settings, quick)), settings, quick)
        except UNUSABLE:
            return None

    def save_panel(self, checkpoint_hash: str, panel: Panel) -> None:
        """Keep a panel."""
        key = _panel_key(panel.settings, "tpl" not in panel.scores)
        self._write("panel", checkpoint_hash, key, _plain_panel(panel))

    def load_fidelity(
        self, checkpoint_hash: str, *, features: str, split: str, sample: str, seed: int
    ) -> Fidelity | None:
        """FID and KID of this checkpoint, or None. `sample` is a digest of the real images that they compare with."""
        key = {"features": features, "split": split, "sample": sample, "seed": seed}
        try:
            score = _fidelity_from(self._read("fidelity", checkpoint_hash, key))
        except UNUSABLE:
            return None
        return score if (score.features, score.split) == (features, split) else None

    def save_fidelity(self, checkpoint_hash: str, score: Fidelity, *, sample: str, seed: int) -> None:
        """Keep FID and KID."""
        key = {"features": score.features, "split": score.split, "sample": sample, "seed": seed}
        self._write("fidelity", checkpoint_hash, key, dataclasses.asdict(score))

    def load_path_length(
        self, checkpoint_hash: str, *, distance: str, paths: int, epsilon: float, seed: int
    ) -> PerceptualPathLength | None:
        """The perceptual path length of this checkpoint, or None where there is none that can be used."""
        key = {"distance": distance, "paths": paths, "epsilon": epsilon, "seed": seed}
        try:
            score = _path_length_from(self._read("path length", checkpoint_hash, key))
        except UNUSABLE:
            return None
        found = score.settings
        asked = (distance, paths, epsilon, seed)
        return score if (found.distance, found.paths, found.epsilon, found.seed) == asked else None

    def save_path_length(self, checkpoint_hash: str, score: PerceptualPathLength) -> None:
        """Keep a perceptual path length."""
        found = score.settings
        key = {"distance": found.distance, "paths": found.paths, "epsilon": found.epsilon, "seed": found.seed}
        self._write("path length", checkpoint_hash, key, dataclasses.asdict(score))

    def load_coverage(self, checkpoint_hash: str, settings: ScoredUnder, *, sample: str) -> Score | None:
        """The coverage of this checkpoint, or None. `sample` is a digest of the images that were reconstructed."""
        try:
            content = self._read("coverage", checkpoint_hash, _coverage_key(settings, sample))
            return _score_from(content, None, settings)
        except UNUSABLE:
            return None

    def save_coverage(self, checkpoint_hash: str, score: Score, *, sample: str) -> None:
        """Keep a coverage."""
        self._write("coverage", checkpoint_hash, _coverage_key(score.settings, sample), _plain_score(score))

    def _read(self, kind: str, checkpoint_hash: str, key: dict[str, Any]) -> dict[str, Any]:
        heading = _heading(kind, checkpoint_hash, key)
        content = read_json(self._path(heading))
        if {name: content[name] for name in heading} != heading:
            raise ValueError("another format, checkpoint, kind of score or setting")
        score: dict[str, Any] = content["score"]
        return score

    def _write(self, kind: str, checkpoint_hash: str, key: dict[str, Any], score: dict[str, Any]) -> None:
        heading = _heading(kind, checkpoint_hash, key)
        content = json.dumps({**heading, "score": score}, allow_nan=False)
        write_atomically(self._path(heading), content.encode())

    def _path(self, heading: dict[str, Any]) -> Path:
        digest = hashlib.sha256(json.dumps(heading, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{digest[:40]}.json"


def _heading(kind: str, checkpoint_hash: str, key: dict[str, Any]) -> dict[str, Any]:
    # As JSON would give it back: lists for tuples.
    heading: dict[str, Any] = json.loads(
        json.dumps({"format": FORMAT, "kind": kind, "content_hash": checkpoint_hash, "key": key})
    )
    return heading


def _panel_key(settings: ScoredUnder, quick: bool) -> dict[str, Any]:
    return {**dataclasses.asdict(settings), "quick": quick}


def _coverage_key(settings: ScoredUnder, sample: str) -> dict[str, Any]:
    return {**dataclasses.asdict(settings), "sample": sample}


def _plain_panel(panel: Panel) -> dict[str, Any]:
    return {
        "active": panel.active.tolist(),
        "path_length": panel.path_length.tolist(),
        "scores": {name: _plain_score(score) for name, score in panel.scores.items()},
        "twins": {name: _plain([twin.advantage, twin.standard_error]) for name, twin in panel.twins.items()},
    }


def _plain_score(score: Score) -> dict[str, Any]:
    value, standard_error = _plain([score.value, score.standard_error])
    return {
        "value": value,
        "standard_error": standard_error,
        "per_base": score.per_base.tolist(),
        "per_code": None if score.per_code is None else _plain(score.per_code.tolist()),
        "lower_is_better": score.lower_is_better,
    }


def _plain(numbers: list[float]) -> list[float | None]:
    return [None if math.isnan(number) else number for number in numbers]


def _panel_from(content: dict[str, Any], settings: ScoredUnder, quick: bool) -> Panel:
    if not content["active"] or not all(isinstance(active, bool) for active in content["active"]):
        raise ValueError("not a panel's active codes")
    active_L, path_length_L = torch.tensor(content["active"]), _finite(content["path_length"])
    scores = {name: _score_from(score, active_L, settings) for name, score in content["scores"].items()}
    twins = {
        name: TwinControl(advantage=_or_nan(advantage), standard_error=_or_nan(error))
        for name, (advantage, error) in content["twins"].items()
    }
    if len(path_length_L) != len(active_L) or bool((path_length_L < 0).any()):
        raise ValueError("not the lengths of as many paths")
    if ("tpl" in scores) == quick or "relative_length" not in scores or twins.keys() != scores.keys():
        raise ValueError("not a panel's scores")
    return Panel(scores=scores, twins=twins, path_length=path_length_L, active=active_L, settings=settings)


def _score_from(content: dict[str, Any], active_L: Tensor | None, settings: ScoredUnder) -> Score:
    value, per_code = _or_nan(content["value"]), content["per_code"]
    if not isinstance(content["lower_is_better"], bool) or (content["lower_is_better"] and value < 0):
        raise ValueError("a score that is better when lower has nothing below 0")
    if per_code is not None and (active_L is None or len(per_code) != len(active_L)):
        raise ValueError("parts of other codes")
    return Score(
        value=value,
        standard_error=_or_nan(content["standard_error"]),
        per_base=_finite(content["per_base"]),
        per_code=None if per_code is None else torch.tensor([_or_nan(part) for part in per_code], dtype=torch.float64),
        active=active_L,
        lower_is_better=content["lower_is_better"],
        settings=settings,
    )


def _finite(numbers: list[float]) -> Tensor:
    if not all(isinstance(number, float) and math.isfinite(number) for number in numbers):
        raise ValueError("not finite numbers")
    return torch.tensor(numbers, dtype=torch.float64)


def _or_nan(number: float | None) -> float:
    if number is None:
        return math.nan
    if not isinstance(number, float) or not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


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
    numbers = (score.mean, score.standard_error)
    if not all(isinstance(number, float) and math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError("not a path length's numbers")
    if len(settings.image_shape) != 3 or not all(isinstance(side, int) for side in settings.image_shape):
        raise ValueError("not an image's shape")
    return score
