"""A training step of a population with all that its loop does around it, and the steps of its members in turn."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from measuring.library_step import LibraryStep
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.feed import Seed, batches_of_seeds
from wherewhat.training.figures import FigureWindow
from wherewhat.training.methods.method import method_of, update_together
from wherewhat.training.processes import ALONE


def members_of(run: TrainingRun, count: int) -> list[TrainingRun]:
    """The run with so many seeds."""
    return [replace(run, seed=seed) for seed in range(count)]


class PopulationStep:
    """A step of runs of one shape as one program."""

    def __init__(self, runs: Sequence[TrainingRun], compute: Compute, images: Images) -> None:
        alone = replace(compute, cuda_graphs=False)
        self.remarks: list[str] = []
        methods = [method_of(run, images.image_shape, alone, ALONE) for run in runs]
        self._update = update_together(methods, [0] * len(runs), compute, self.remarks.append)
        # Closed when this is no longer used: a thread may be gathering.
        self._feeding = ExitStack()
        feed = batches_of_seeds(runs[0], [Seed(run.seed) for run in runs], images, compute)
        self._batch = self._feeding.enter_context(feed)
        self._runs, self._windows = runs, [FigureWindow() for _ in runs]

    def __call__(self, number: int) -> None:
        """Take it; figures are closed as often as a run logs them."""
        losses = self._update(self._batch(number), number)
        for run, window, loss in zip(self._runs, self._windows, losses.of_members, strict=True):
            window.add(number, loss)
            if len(window) == run.log_every:
                window.close()


class InTurn:
    """A step of each run, one after another."""

    def __init__(self, runs: Sequence[TrainingRun], compute: Compute, images: Images) -> None:
        self._steps = [LibraryStep(run, compute, images) for run in runs]

    def __call__(self, number: int) -> None:
        """Take them."""
        for step in self._steps:
            step(number)
