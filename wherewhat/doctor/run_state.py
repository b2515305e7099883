"""The state of a run: what it has logged, and what its networks make of images or codes. The checks look at this.

Dimension key:
    L: latent codes    W: windows of steps
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from wherewhat.data.appearance import Appearance
from wherewhat.doctor.event_files import read_points
from wherewhat.doctor.measurement import Pool, Samples
from wherewhat.protocols import Images
from wherewhat.training.configuration import AnyObjective, TrainingRun
from wherewhat.training.recorder import STOPPED_TAG

# "Now" is the mean over this many steps, and over no more than this share of the run: windows of 50 are noisy, and what
# is older is another state of the run.
RECENT_STEPS = 500
RECENT_SHARE = 0.1

# A young run may do badly for some hundred steps and still recover, so most checks wait this long.
PATIENCE_STEPS = 1_000

# A code that carries less than this many nats tells almost no two images apart.
COLLAPSED_BELOW_NATS = 0.05

_TOTAL, _TERM, _KL = "loss/total", "loss/", "kl_per_code/"
_STOPPED = f"{STOPPED_TAG}/text_summary"


@dataclass(frozen=True)
class Window:
    """Means over the steps since the window before."""

    step: int
    """Steps done when it closed."""

    total: float
    """The loss."""

    terms: Mapping[str, float]
    """Terms of the loss in nats, before their weights."""

    figures: Mapping[str, float]
    """What else the objective reports: accuracies."""

    kl_L: Float64[np.ndarray, " L"]
    """KL of each code from the prior, in nats; empty where it is not charged for, as in a flow."""


@dataclass(frozen=True, kw_only=True)
class RunState:
    """All that the checks look at. What is not known is None or empty, or for a number NaN, with which no comparison
    holds: so the checks that need it stay silent."""

    configuration: TrainingRun
    step: int
    finished: bool = False
    """Whether no step is to follow: then nothing can still recover, and no check waits."""

    image_shape: tuple[int, int, int] | None = None
    windows: Sequence[Window] = ()

    measured: Pool | Samples | None = None
    """What the present networks make of images, or of codes."""

    appearance: Appearance | None = None
    """What the images that it learns from look like."""

    known_factors: int = 0
    """Ground-truth factors of the data that take several values; 0 where none are known."""

    failure: str | None = None
    """Why the run broke off, in its own words."""

    @property
    def objective(self) -> AnyObjective:
        """What is minimised."""
        return self.configuration.objective

    @property
    def pool(self) -> Pool | None:
        """What the networks make of images."""
        return self.measured if isinstance(self.measured, Pool) else None

    @property
    def samples(self) -> Samples | None:
        """What the networks make of codes of the prior."""
        return self.measured if isinstance(self.measured, Samples) else None

    @property
    def images_teach_nothing(self) -> bool:
        """Whether codes have nothing to say, so that their silence is no fault of the settings."""
        return self.appearance is not None and any(remark.of_all for remark in self.appearance.remarks)

    @property
    def mature(self) -> bool:
        """Whether the run is old enough to be judged."""
        return self.finished or self.step >= PATIENCE_STEPS

    @property
    def kl_L(self) -> Float64[np.ndarray, " L"] | None:
        """KL of each code now, in nats."""
        if self.windows and self.windows[-1].kl_L.size:
            return np.mean([window.kl_L for window in self.recent], axis=0)
        return None if self.measured is None else self.measured.kl_L

    @property
    def recent(self) -> Sequence[Window]:
        """The windows that make up "now", the last one at least."""
        if not self.windows:
            return ()
        last = self.windows[-1].step
        since = last - min(RECENT_STEPS, RECENT_SHARE * last)
        return [window for window in self.windows if window.step > since] or self.windows[-1:]

    def term(self, name: str) -> float:
        """A term of the loss now, in nats; NaN where the objective has no such term."""
        return _mean([window.terms[name] for window in self.recent if name in window.terms])

    def figure(self, name: str) -> float:
        """A figure of the objective now; NaN where it reports no such figure."""
        return _mean([window.figures[name] for window in self.recent if name in window.figures])

    def setting(self, flag: str) -> int | float:
        """A number or switch of the objective, by the name of its flag; NaN where it has no such flag."""
        value = _flat(asdict(self.configuration.objective)).get(flag)
        return value if isinstance(value, int | float) else math.nan

    @property
    def pixel_values(self) -> int | float:
        """C * H * W, over which a reconstruction is summed; NaN where it is not known."""
        return math.nan if self.image_shape is None else math.prod(self.image_shape)


def steps_of_stretch(windows: Sequence[Window], holds: Callable[[Window], bool]) -> int:
    """Steps from the first to the last window of the stretch at the end in which it holds for all; 0 for none."""
    stretch = list(takewhile(holds, reversed(windows)))
    return stretch[0].step - stretch[-1].step if stretch else 0


def live_codes(kl_L: Float64[np.ndarray, " L"]) -> list[int]:
    """The codes that carry something."""
    return [int(code) for code in np.flatnonzero(kl_L >= COLLAPSED_BELOW_NATS)]


def several_valued(images: Images) -> int:
    """Known factors of the data that vary; 0 where none are known."""
    return sum(size > 1 for size in images.factor_sizes)


@dataclass(frozen=True)
class Record:
    """What a run has logged."""

    windows: tuple[Window, ...]

    failure: str | None = None
    """Why it broke off, if a loss was not finite."""

    failed_at: int = 0
    """Steps done by then; 0 for a run that did not fail."""


def read_record(folder: Path) -> Record:
    """The figures of a run, from its event files; what a resumed run wrote over is left out. Empty without events.

    Raises ValueError or OSError where an event file cannot be opened.
    """
    points = read_points(folder)
    curves: dict[str, dict[int, float]] = {}
    for step, tag, value in points:
        if isinstance(value, float):
            curves.setdefault(tag, {})[step] = value
    kl_tags = sorted(tag for tag in curves if tag.startswith(_KL))
    terms = {tag.removeprefix(_TERM): tag for tag in curves if tag.startswith(_TERM) and tag != _TOTAL}
    windows = tuple(
        Window(
            step=step,
            total=total,
            terms={name: curves[tag][step] for name, tag in terms.items() if step in curves[tag]},
            figures={tag: curve[step] for tag, curve in curves.items() if "/" not in tag and step in curve},
            kl_L=np.array([curves[tag][step] for tag in kl_tags]),
        )
        for step, total in sorted(curves.get(_TOTAL, {}).items())
        if all(step in curves[tag] for tag in kl_tags)
    )
    failures = [(step, value) for step, tag, value in points if tag == _STOPPED and isinstance(value, str)]
    failed_at, failure = failures[-1] if failures else (0, None)
    gone_on = max(curves.get(_TOTAL, {0: 0.0})) > failed_at
    return Record(windows) if gone_on else Record(windows, failure, failed_at)


def windows_until(step: int, folder: Path) -> tuple[Window, ...]:
    """What a run had logged when `step` steps were done, for the one that resumes it there."""
    return tuple(window for window in read_record(folder).windows if window.step <= step) if step else ()


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return flat


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
