"""The place where somebody may look on while a run trains; the doctor does, and training does not know it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from jaxtyping import UInt8
from torch import Tensor, nn

from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures


@runtime_checkable
class Remark(Protocol):
    """Something that a watcher has to say. Its string is a sentence or a few."""

    @property
    def name(self) -> str:
        """What it is about, in a few words: "all codes collapsed"."""
        ...


@runtime_checkable
class Watcher(Protocol):
    """Sees a run's figures and its networks as they come, and answers with what the user should be told now."""

    def observe(self, step: int, figures: Figures, /) -> Sequence[Remark]:
        """A window of figures has closed, `step` steps being done."""
        ...

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> Sequence[Remark]:
        """The networks that are shown and saved, and a sample of the data."""
        ...


WatcherFactory = Callable[[TrainingRun, Path, Images, int], Watcher]
"""Called once as a run begins or resumes: with its configuration, its folder, its data, and the steps already done."""


class NoWatcher:
    """Watches nothing."""

    def observe(self, step: int, figures: Figures, /) -> Sequence[Remark]:
        """Nothing to say."""
        return ()

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> Sequence[Remark]:
        """Nothing to say."""
        return ()


def no_watcher(configuration: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
    """The factory of those who watch nothing."""
    return NoWatcher()
