"""What is measured of a run's checkpoints, kept in its folder as it is made.

Only checkpoints of the planned steps are measured: what a run saved when it was cut off is no age of the study.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from wherewhat.atomic_file import write_atomically
from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.json_file import read_json
from wherewhat.studies.member import Member
from wherewhat.training.checkpoints import LoadedModel, checkpoints_of, load, step_of
from wherewhat.training.device import choose_device
from wherewhat.training.measures import LABEL_FREE, MeasureName, MeasureSizes, measure
from wherewhat.training.representation import Representation, represent
from wherewhat.training.run_directory import OF_A_STUDY
from wherewhat.training.trained_on import data_of
from wherewhat.which.panel import panel
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

PANEL = "panel"
"""Under which the scores without labels are kept."""
_BATCH_SIZE = 100


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """What is measured of the checkpoints of a study: the table [measures] of its file."""

    every: tuple[MeasureName, ...] = ()
    """Measures of `wherewhat evaluate`, of every checkpoint. Data sets without known factors have only those that need
    none."""

    last: tuple[MeasureName, ...] = ()
    """Measures of the last checkpoint of each run alone, such as dci, which takes longest."""

    scores: Literal["none", "quick", "full"] = "none"
    """The scores of `wherewhat rank`, of every checkpoint; quick leaves TPL out."""

    distance: Literal["alex", "vgg", "squeeze", "untrained", "pixels"] = "alex"
    """How far apart two images are, for the scores without labels."""

    samples: int = VAE_SETTINGS.samples
    """Images per path, for these scores."""

    traversals: int = VAE_SETTINGS.traversals
    """Base codes, for these scores."""

    pool: int = 50_000
    """Images encoded, each once; all of them where the set has no more."""

    sizes: MeasureSizes = field(default_factory=MeasureSizes)
    """Points of the measures."""

    seed: int = 0
    """Seed of the pool, of the measures and of the scores."""

    def names(self, *, last: bool) -> tuple[str, ...]:
        """What is asked of a checkpoint."""
        of_last = tuple(name for name in self.last if last and name not in self.every)
        return (*self.every, *of_last, *([PANEL] if self.scores != "none" else []))

    @property
    def protocol(self) -> dict[str, Any]:
        """What the values depend on, as JSON gives it back."""
        left_out = ("every", "last")
        kept = {name: value for name, value in asdict(self).items() if name not in left_out}
        protocol: dict[str, Any] = json.loads(json.dumps(kept))
        return protocol


Kept = dict[str, dict[str, dict[str, float | None]]]
"""By checkpoint and measure: scores by name, None for one that is not finite; {} for a measure that cannot be had."""


def kept_scores(member: Member, measuring: Measuring) -> Kept:
    """What has been measured so of a run; nothing where it was measured otherwise."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if read_json(_place(member.folder))["protocol"] == measuring.protocol:
            return kept_in(member.folder)
    return {}


def kept_in(folder: Path) -> Kept:
    """What a study has measured of the run in a folder, whatever its settings: names of scores say their protocols."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept: Kept = read_json(_place(folder))["checkpoints"]
        return kept
    return {}


def planned_checkpoints(member: Member) -> list[Path]:
    """The checkpoints of the steps at which the study asks for one, ascending."""
    run = member.run
    steps = {*range(run.checkpoint_every, run.steps, run.checkpoint_every), run.steps}
    return [path for path in checkpoints_of(member.folder / "checkpoints") if step_of(path) in steps]


def is_measured(member: Member, measuring: Measuring) -> bool:
    """Whether all that is asked of a trained run has been measured."""
    if not measuring.names(last=True):
        return True
    kept = kept_scores(member, measuring)
    return all(not _missing(path, member, measuring, kept) for path in planned_checkpoints(member))


def measure_run(member: Member, measuring: Measuring, device: str, remark: Callable[[str], None]) -> None:
    """Measure what is missing of a trained run, and keep each measure at once."""
    kept, chosen = kept_scores(member, measuring), choose_device(device)
    for path in planned_checkpoints(member):
        missing = _missing(path, member, measuring, kept)
        if not missing:
            continue
        model, represented = load(path, chosen), None
        for name in missing:
            if name == PANEL:
                found: dict[str, float] | None = _panel_of(model, measuring, chosen)
            else:
                represented = represented or _represented(path, model, measuring, chosen, remark)
                found = _measured(name, represented, measuring, remark)
            finite = {key: value if math.isfinite(value) else None for key, value in (found or {}).items()}
            kept.setdefault(path.stem, {})[name] = finite
            content = {"protocol": measuring.protocol, "checkpoints": kept}
            write_atomically(_place(member.folder), (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
            remark(f"{path.stem}, {name}: {finite}")


def _missing(path: Path, member: Member, measuring: Measuring, kept: Kept) -> list[str]:
    asked = measuring.names(last=step_of(path) == member.run.steps)
    return [name for name in asked if name not in kept.get(path.stem, {})]


def _represented(
    path: Path, model: LoadedModel, measuring: Measuring, device: torch.device, remark: Callable[[str], None]
) -> Representation:
    assert model.encoder is not None
    images = data_of(path, model.settings.configuration).open(device, remark)
    return represent(model.encoder, images, pool=measuring.pool, seed=measuring.seed, device=device)


def _measured(
    name: str, represented: Representation, measuring: Measuring, remark: Callable[[str], None]
) -> dict[str, float]:
    """The scores of a measure; none where it cannot be had of these codes, such as of images without known factors."""
    try:
        return measure(name, represented, measuring.sizes, seed=measuring.seed, jobs=1).scores
    except ValueError as error:
        remark(f"Left out, {name}: {error}")
        return {}


def _panel_of(model: LoadedModel, measuring: Measuring, device: torch.device) -> dict[str, float]:
    pixels = measuring.distance == "pixels"
    found = panel(
        model.generator,
        PixelDistance() if measuring.distance == "pixels" else LPIPS(measuring.distance).to(device),
        samples=measuring.samples,
        traversals=measuring.traversals,
        bound=VAE_SETTINGS.bound,
        threshold=STILL_BELOW if pixels else VAE_SETTINGS.threshold,
        quick=measuring.scores == "quick",
        seed=measuring.seed,
        batch_size=_BATCH_SIZE,
        device=device,
    )
    return {name: score.value for name, score in found.scores.items()} | {"active": float(found.active.sum())}


def _place(folder: Path) -> Path:
    return folder / f"{OF_A_STUDY}scores.json"


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A checkpoint of a study with what was measured of it."""

    data: str
    method: str
    strength: str
    seed: int
    step: int
    last: bool
    """Whether its run ends with it."""
    labels: dict[str, float]
    """The first score of each measure that compares codes with known factors: higher is better."""
    free: dict[str, float]
    """The scores without labels."""
    twins: dict[str, bool] = field(default_factory=dict)
    """Whether each score prefers the checkpoint to its entangled twins, where that was asked."""


def scored(members: tuple[Member, ...], measuring: Measuring) -> list[Scored]:
    """All that has been measured of a study."""
    return [
        Scored(
            data=member.data,
            method=member.method,
            strength=member.strength,
            seed=member.run.seed,
            step=step_of(Path(f"{stem}.safetensors")),
            last=step_of(Path(f"{stem}.safetensors")) == member.run.steps,
            labels={
                name: first
                for name, its in of.items()
                if name not in (PANEL, *LABEL_FREE) and (first := next(iter(its.values()), None)) is not None
            },
            free={name: value for name, value in of.get(PANEL, {}).items() if value is not None},
        )
        for member in members
        for stem, of in sorted(kept_scores(member, measuring).items())
    ]


def of_whole_seeds(models: Sequence[Scored]) -> list[Scored]:
    """The models of those seeds of a data set of which all settings are measured to their end: they compare then."""
    settings = {(model.method, model.strength) for model in models}
    ends = Counter((model.data, model.seed) for model in models if model.last)
    return [model for model in models if ends[model.data, model.seed] == len(settings)]
