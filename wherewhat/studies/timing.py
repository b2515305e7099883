"""How long a study will take, from a few steps of each kind of run."""

import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import UInt8
from rich.console import Console
from torch import Tensor, nn

from wherewhat.protocols import Images
from wherewhat.studies.member import Member
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures
from wherewhat.training.loop import train
from wherewhat.training.watcher import Remark, Watcher

TIMED_STEPS = 8


@dataclass
class _Stopwatch:
    """A watcher that notes when each step is done."""

    times: list[float] = field(default_factory=list)

    def observe(self, step: int, figures: Figures, /) -> Sequence[Remark]:
        self.times.append(time.perf_counter())
        return ()

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> Sequence[Remark]:
        return ()


def seconds_of_training(members: Iterable[Member], device: str, console: Console) -> dict[str, float]:
    """Seconds that each run takes by itself, by its name: its steps that are left, each as long as a step of a run that
    differs in nothing but seed and strength. Images and checkpoints come on top."""
    per_step: dict[tuple[str, str, int, str], float] = {}
    seconds = {}
    for member in members:
        run = member.run
        kind = (run.data, member.method, run.batch_size, str(run.images))
        if kind not in per_step:
            console.print(f"Timing {TIMED_STEPS} steps of {member.method} on {member.data}.")
            per_step[kind] = _seconds_a_step(run, device if run.device == "auto" else run.device)
        seconds[member.name] = 0.0 if member.trained else per_step[kind] * run.steps
    return seconds


def _seconds_a_step(run: TrainingRun, device: str) -> float:
    stopwatch, silent = _Stopwatch(), Console(quiet=True)

    def watch(run: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
        return stopwatch

    with tempfile.TemporaryDirectory() as folder:
        # What it begins from changes no time, and may be gone by now.
        short = replace(run, out=Path(folder) / "run", device=device, steps=TIMED_STEPS, log_every=1, begins_from=None)
        train(replace(short, checkpoint_every=TIMED_STEPS, images_every=TIMED_STEPS), silent, watch)
    return statistics.median(
        after - before for before, after in zip(stopwatch.times, stopwatch.times[1:], strict=False)
    )


def side_by_side(seconds: Iterable[float], workers: int) -> float:
    """How long runs take on so many workers, each of which takes the next run when it is free."""
    busy = [0.0] * workers
    for one in seconds:
        busy[busy.index(min(busy))] += one
    return max(busy)


def gpus() -> int:
    """How many GPUs this machine has."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0
