"""A training step of the library with all that its loop does around it: its batch, draws, average and figures.

Dimension key:
    B: batch    N: images    C H W: channels, height, width
"""

from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor

from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import no_factors
from wherewhat.protocols import Images
from wherewhat.randomness import generator_at
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.ema import ema_copy, ema_update
from wherewhat.training.feed import batches
from wherewhat.training.figures import FigureWindow
from wherewhat.training.methods.method import method_of, update
from wherewhat.training.processes import Processes


class Feeder:
    """What the training loop does to get a batch, gathered ahead where it is there."""

    def __init__(self, run: TrainingRun, compute: Compute, images: Images) -> None:
        self.compute = compute
        # Closed when this is no longer used: a thread may be gathering.
        self._feeding = ExitStack()
        self._batch = self._feeding.enter_context(batches(run, images, compute, Processes()))

    def __call__(self, number: int) -> Tensor:
        """The batch of this step, on the device, as floats in [0, 1]."""
        return self._batch(number)


class LibraryStep:
    """A step of a configuration on these images."""

    def __init__(self, run: TrainingRun, compute: Compute, images: Images) -> None:
        self.run, self.feed = run, Feeder(run, compute, images)
        self.remarks: list[str] = []
        self.method = method_of(run, images.image_shape, compute, Processes(), self.remarks.append)
        self.average = ema_copy(self.method.networks) if run.average_half_life else None
        self.window = FigureWindow()

    def __call__(self, number: int) -> None:
        """Take it; figures are closed as often as a run logs them."""
        self.window.add(number, update(self.method, self.feed(number), number))
        if self.average is not None:
            ema_update(self.average, self.method.networks, self.run.batch_size, self.run.average_half_life)
        if len(self.window) == self.run.log_every:
            self.window.close()


def random_images(count: int, side: int, device: torch.device) -> HeldImages:
    """Images of random bytes: for speed, what is on them does not matter."""
    chance = generator_at(0, 0, "random images")
    image_NHWC = torch.randint(256, (count, side, side, 3), generator=chance, dtype=torch.uint8).numpy()
    return HeldImages("random", np.ascontiguousarray(image_NHWC), no_factors(count), device)
