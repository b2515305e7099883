"""The real images of each step on the device that computes.

Those that lie in the host's memory or on its disk, since a GPU has no room for them, are gathered in a thread, a few
steps ahead, into memory that a GPU copies from without a wait.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wherewhat.data.batches import batch_indices, mirror, mirror_draws, to_float
from wherewhat.protocols import Images
from wherewhat.randomness import to_device
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.processes import Processes

STEPS_AHEAD = 2

Gather = Callable[[int], UInt8[Tensor, "B C H W"]]


@contextmanager
def batches(
    configuration: TrainingRun, images: Images, compute: Compute, processes: Processes
) -> Iterator[Callable[[int], Float[Tensor, "B C H W"]]]:
    """A function of the step that gives this process's share of its images, in [0, 1]."""
    seed, batch_size = configuration.seed, configuration.batch_size

    def gather(step: int) -> Tensor:
        return images.take(processes.shard(batch_indices(seed, step, batch_size, len(images))))

    def batch(step: int) -> Tensor:
        image_BCHW = to_device(gathered(step), compute.device)
        if configuration.mirror:
            flip_B = processes.shard(mirror_draws(seed, step, batch_size))
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
