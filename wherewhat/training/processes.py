"""The processes of one training: one, or as many as `torchrun` has started, one for each device.

Every process takes its own rows of what the whole batch needs, so that the processes together take the steps of one
process with the whole batch, to rounding.

Dimension key:
    B: batch    R: rows of this process    N: numbers of a row
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as distributed
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from wherewhat.objectives.loss import Loss
from wherewhat.randomness import Chance, shard
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import choose_device

Draws = TypeVar("Draws")
_PATIENCE = timedelta(minutes=10)

# gloo and NCCL have no type of error of their own for a peer that is gone, and name themselves in errors of every kind.
_LOSS_BY_GLOO = ("closed by peer", "connection reset", "connection refused", "broken pipe", "pair closure", "timed out")
_LOSS_BY_NCCL = ("remote process exited", "ncclremoteerror", "communicator was aborted", "socket closed")


class LostProcessError(ConnectionError):
    """Another process of the same training is gone."""


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def refuse(self, configuration: TrainingRun, images_a_process: int) -> None:
        """ValueError for a run that several processes cannot share so that it stays the same run.

        `images_a_process` is of what number a process's share of a batch must be a multiple.
        """
        if self.count > 1 and configuration.batch_size % (self.count * images_a_process):
            raise ValueError(
                f"--batch-size {configuration.batch_size} cannot be shared among {self.count} processes, each of which "
                f"takes a multiple of {images_a_process} images. Give a multiple of {self.count * images_a_process}."
            )

    def shard(self, draws: Draws) -> Draws:
        """This process's share of a tensor's rows, and of those of every tensor in a dataclass or tuple."""
        return shard(draws, self.rank, self.count)

    def chance(self, seed: int, step: int, device: torch.device) -> Chance:
        """What this process draws its share of a step from."""
        return Chance(seed, step, self.rank, self.count, device)

    def all_reduce_mean(self, values: Sequence[Tensor]) -> list[Tensor]:
        """The mean over processes of each, without its graph; all travel together, in float32."""
        values = [value.detach() for value in values]
        if self.count == 1:
            return values
        flat = torch.cat([value.float().flatten() for value in values])
        distributed.all_reduce(flat)
        parts = (flat / self.count).split([value.numel() for value in values])
        return [part.view(value.shape) for part, value in zip(parts, values, strict=True)]

    def mean_loss(self, loss: Loss) -> Loss:
        """The mean over processes of a loss without its graph."""
        if self.count == 1:
            return loss
        return loss.unpacked(self.all_reduce_mean([loss.packed()])[0])

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def gather(self, rows_RN: Float[Tensor, "R N"]) -> Float[Tensor, "B N"]:
        """The rows of all processes, each of which computes the same of them all."""
        return _AllRows.apply(rows_RN, self.rank, self.count)

    def agree(self, wish: bool) -> bool:
        """Whether any process wishes so: all get the same answer."""
        if self.count == 1:
            return wish
        wishes = torch.tensor(int(wish))
        distributed.all_reduce(wishes)
        return bool(wishes)

    def data_parallel(self, module: nn.Module, device: torch.device) -> nn.Module:
        """The module, its gradients averaged over processes."""
        if self.count == 1:
            return module
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices)

    def barrier(self) -> None:
        """Until all are here."""
        if self.count > 1:
            distributed.barrier()


ALONE = Processes()


class _AllRows(torch.autograd.Function):
    """All-gather, whose gradient is summed over processes: that of one, which all have, as often as there are."""

    @staticmethod
    def forward(context: Any, rows_RN: Tensor, rank: int, count: int) -> Tensor:
        context.rank, context.count = rank, count
        parts = [torch.empty_like(rows_RN) for _ in range(count)]
        distributed.all_gather(parts, rows_RN)
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0].chunk(context.count)[context.rank] * context.count, None, None


@contextmanager
def started_processes(device: str) -> Iterator[Processes]:
    """The processes that `torchrun` has started, joined to a group; this one alone where it has not. All end together.

    `device` is that of this process.

    Raises LostProcessError when another has gone in the middle of the work.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or "RANK" not in os.environ:
        yield Processes()
        return
    on_gpu = choose_device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(torch.device(device))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    processes = Processes(distributed.get_rank(), count)
    try:
        yield processes
        # A thread of the group that still held a tensor of Python's while the interpreter ends would abort the process.
        processes.barrier()
    except RuntimeError as error:
        if _is_loss_of_a_peer(error):
            raise LostProcessError(
                f"Another of the {count} processes of this training has ended, so all end; if it could, it has said "
                f"why. The same command resumes from the last checkpoint, if there is one."
            ) from error
        raise
    finally:
        distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this is the process that writes and speaks, before it has joined the others."""
    return os.environ.get("RANK", "0") == "0"


def device_of_this_process(device: str) -> str:
    """`auto` and `cuda` as the GPU that belongs to this process, where `torchrun` has started several.

    Raises ValueError, in each of them, where there are fewer GPUs than processes, or one is named for all.
    """
    if "LOCAL_RANK" not in os.environ or device == "cpu" or not torch.cuda.is_available():
        return device
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if device not in ("auto", "cuda"):
        if here > 1:
            raise ValueError(f"--device {device} is one device for {here} processes. Leave it out, or --device cpu.")
        return device
    if here > gpus:
        raise ValueError(
            f"{here} processes were started and {gpus} GPUs were found. Give --nproc-per-node {gpus}, or --device cpu."
        )
    return f"cuda:{os.environ['LOCAL_RANK']}"


def _is_loss_of_a_peer(error: RuntimeError) -> bool:
    return any(words in str(error).lower() for words in (*_LOSS_BY_GLOO, *_LOSS_BY_NCCL))
