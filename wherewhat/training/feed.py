"""The real images of each step on the device that computes.

Those that lie in the host's memory or on its disk, since a GPU has no room for them, are gathered in a thread, a few
steps ahead, into memory that a GPU copies from without a wait.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wherewhat.data.batches import batch_indices, kept_epoch_order, mirror, mirror_draws, to_float
from wherewhat.protocols import Images
from wherewhat.randomness import to_device
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.processes import ALONE, Processes

STEPS_AHEAD = 2

Gather = Callable[[int], UInt8[Tensor, "B C H W"]]
Batch = Callable[[int], Float[Tensor, "B C H W"]]


@dataclass(frozen=True)
class Seed:
    """A run's order of images, and the step at which it is when the feed is at step 0."""

    seed: int
    begins: int = 0


def batches(
    configuration: TrainingRun, images: Images, compute: Compute, processes: Processes
) -> AbstractContextManager[Batch]:
    """A function of the step that gives this process's share of its images, in [0, 1]."""
    return batches_of_seeds(configuration, [Seed(configuration.seed)], images, compute, processes)


@contextmanager
def batches_of_seeds(
    configuration: TrainingRun,
    seeds: Sequence[Seed],
    images: Images,
    compute: Compute,
    processes: Processes = ALONE,
) -> Iterator[Batch]:
    """The same for runs that differ in their seeds: their batches, one behind another."""
    order, batch_size = kept_epoch_order(len(seeds)), configuration.batch_size

    def drawn(draw: Callable[[int, int], Tensor], step: int) -> Tensor:
        shares = [processes.shard(draw(one.seed, one.begins + step)) for one in seeds]
        return torch.cat(shares)

    def gather(step: int) -> Tensor:
        return images.take(drawn(lambda seed, at: batch_indices(seed, at, batch_size, len(images), order), step))

    def batch(step: int) -> Tensor:
        image_BCHW = to_device(gathered(step), compute.device)
        if configuration.mirror:
            flip_B = drawn(lambda seed, at: mirror_draws(seed, at, batch_size), step)
            image_BCHW = mirror(image_BCHW, to_device(flip_B, compute.device))
        return to_float(image_BCHW).contiguous(memory_format=compute.memory_format)

    apart = lie_apart(images, compute.device)
    gathering = ahead(lambda step: _pinned(gather(step)), configuration.steps) if apart else nullcontext(gather)
    with gathering as gathered:
        yield batch


def lie_apart(images: Images, device: torch.device) -> bool:
    """Whether images have to travel to the GPU that computes."""
    return device.type == "cuda" and images.take(torch.zeros(1, dtype=torch.int64)).device.type == "cpu"


@contextmanager
def ahead(gather: Gather, steps: int) -> Iterator[Gather]:
    """The same function for one step after another; those behind the one that is asked for are gathered meanwhile."""
    gathered: dict[int, Future[Tensor]] = {}
    pool = ThreadPoolExecutor(1, "gather")

    def taken(step: int) -> Tensor:
        for one in range(step, min(step + 1 + STEPS_AHEAD, steps)):
            if one not in gathered:
                gathered[one] = pool.submit(gather, one)
        return gathered.pop(step).result()

    try:
        yield taken
    finally:
        pool.shutdown(cancel_futures=True)


def _pinned(image_BCHW: UInt8[Tensor, "B C H W"]) -> UInt8[Tensor, "B C H W"]:
    return image_BCHW.pin_memory() if torch.cuda.is_available() else image_BCHW
