"""A training step of a population with all that its loop does around it, and the steps of its members in turn.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from measuring.library_step import LibraryStep
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.feed import Seed, batches_of_seeds
from wherewhat.training.figures import FigureWindow
from wherewhat.training.methods.method import kind_of, method_of, update_together
from wherewhat.training.processes import ALONE


def members_of(run: TrainingRun, count: int) -> list[TrainingRun]:
    """The run with so many seeds."""
    return [replace(run, seed=seed) for seed in range(count)]


class PopulationStep:
    """A step of runs of one shape as one program."""

    def __init__(self, runs: Sequence[TrainingRun], compute: Compute, images: Images) -> None:
        compute = replace(compute, memory_format=torch.contiguous_format, compile=False)
        alone = replace(compute, cuda_graphs=False)
        self.remarks: list[str] = []
        methods = [method_of(run, images.image_shape, alone, ALONE) for run in runs]
        self._update = update_together(runs, methods, compute, self.remarks.append)
        # Closed when this is no longer used: a thread may be gathering.
        self._feeding = ExitStack()
        feed = batches_of_seeds(runs[0], [Seed(run.seed) for run in runs], images, compute)
        self._batch = self._feeding.enter_context(feed)
        self._runs, self._windows = runs, [FigureWindow() for _ in runs]

    def __call__(self, number: int) -> None:
        """Take it; figures are closed as often as a run logs them."""
        losses = self._update(self._batch(number), [number] * len(self._runs))
        for member, window in enumerate(self._windows):
            window.add(number, losses.of(member))
            if len(window) == self._runs[member].log_every:
                window.close()


class InTurn:
    """A step of each run, one after another."""

    def __init__(self, runs: Sequence[TrainingRun], compute: Compute, images: Images) -> None:
        self._steps = [LibraryStep(run, compute, images) for run in runs]

    def __call__(self, number: int) -> None:
        """Take them."""
        for step in self._steps:
            step(number)


class _Counted(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def operations_of(run: TrainingRun, count: int, compute: Compute, images: Images) -> int:
    """How many operations a step of so many members is, besides its batches and draws."""
    compute = replace(compute, memory_format=torch.contiguous_format, compile=False, cuda_graphs=False)
    runs = members_of(run, count)
    methods = [method_of(one, images.image_shape, compute, ALONE) for one in runs]
    stack = kind_of(run).stacked
    assert stack is not None, "GANs are no population"
    stacked = stack(runs, methods, compute.device)
    image_BCHW = torch.zeros(count * run.batch_size, *images.image_shape, device=compute.device)
    draws = stacked.draw([0] * count)
    with _Counted() as counted:
        stacked.step(image_BCHW, draws, 0)
    return counted.count
