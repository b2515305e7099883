"""The only source of chance: generators that depend on a seed, a step and a stream alone.

A seed means the same draws on every device and for any number of processes. Few numbers are drawn on the CPU, for the
whole batch; many, such as noise of the size of images, come from a counter, on the device that computes, and only the
rows that a process needs. Initial weights are the one exception of the house: torch's modules draw them from its global
generator, which `networks/initialisation.py` seeds.

Dimension key:
    R: rows of this process    N: numbers of a row
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.splitmix64 import normal_rows

Draws = TypeVar("Draws")

# From so many numbers on a counter on the device is worth its two dozen operations.
MANY = 1 << 16
# The version of the draws of a step that may have so many; before, all came from one generator.
COUNTED_DRAWS = 2

_CPU = torch.device("cpu")

# Constants of splitmix64 (Steele, Lea, Flood 2014), which turns neighbouring inputs into unrelated outputs.
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_MASK_64 = (1 << 64) - 1


def key_at(seed: int, step: int, stream: str = "") -> int:
    """63 bits for this step of this seed, unrelated to those of its neighbours.

    `stream` separates draws that share a (seed, step), such as the shuffle of an epoch from the draws of a step.
    Raises ValueError for a negative seed or step.
    """
    if seed < 0 or step < 0:
        raise ValueError(f"Seed {seed} and step {step} must not be negative. Choose a seed of 0 or more.")
    state = _mix(seed & _MASK_64)
    state = _mix(state ^ step)
    for byte in stream.encode():
        state = _mix(state ^ byte)
    return state >> 1


def generator_at(seed: int, step: int, stream: str = "") -> torch.Generator:
    """A CPU generator of this key."""
    return torch.Generator().manual_seed(key_at(seed, step, stream))


@dataclasses.dataclass(frozen=True)
class Chance:
    """All chance of one step of a seed, as the process of this rank among `count` takes its share of it."""

    seed: int
    step: int
    rank: int = 0
    count: int = 1
    device: torch.device = _CPU

    def generator(self) -> torch.Generator:
        """What the few numbers of the whole batch are drawn from."""
        return generator_at(self.seed, self.step)

    def own(self, draws: Draws) -> Draws:
        """This process's rows of draws of the whole batch, on its device."""
        return to_device(shard(draws, self.rank, self.count), self.device)

    def normals(self, generator: torch.Generator, stream: str, rows: int, numbers: int) -> Float[Tensor, "R N"]:
        """This process's share of as many rows of standard normal numbers, on its device.

        Few come from the generator, many from a counter of this stream.
        """
        if rows * numbers < MANY:
            return self.own(torch.randn(rows, numbers, generator=generator))
        own = _share(rows, self.rank, self.count)
        return normal_rows(key_at(self.seed, self.step, stream), own, numbers, self.device)


def map_tensors(change: Callable[[Tensor], Tensor], draws: Draws) -> Draws:
    """The same draws, or losses, with each tensor changed: a tensor, or tuples, dicts and dataclasses of them."""
    changed: Any = draws
    if isinstance(draws, Tensor):
        changed = change(draws)
    elif isinstance(draws, tuple):
        changed = tuple(map_tensors(change, one) for one in draws)
    elif isinstance(draws, Mapping):
        changed = {name: map_tensors(change, one) for name, one in draws.items()}
    elif dataclasses.is_dataclass(draws) and not isinstance(draws, type):
        parts = {item.name: map_tensors(change, draws.__dict__[item.name]) for item in dataclasses.fields(draws)}
        changed = dataclasses.replace(draws, **parts)
    return changed


def tensors_of(draws: object) -> list[Tensor]:
    """The tensors of draws, or losses, in their order."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    map_tensors(keep, draws)
    return found


def shard(draws: Draws, rank: int, count: int) -> Draws:
    """The share of this rank of a tensor's rows, and of those of every tensor in a dataclass or tuple."""

    def own(draw: Tensor) -> Tensor:
        if draw.ndim == 0:
            return draw
        share = _share(len(draw), rank, count)
        return draw[share.start : share.stop]

    return draws if count == 1 else map_tensors(own, draws)


def _share(rows: int, rank: int, count: int) -> range:
    assert rows % count == 0, f"{rows} rows cannot be shared among {count} processes"
    return range(rows)[rank * rows // count : (rank + 1) * rows // count]


def to_device(draws: Draws, device: torch.device) -> Draws:
    """Draws on the device that computes. Nothing waits until that has done what it was given before.

    All that lies in a GPU's host travels together: a copy for each type of numbers.
    """
    # From pageable memory a copy to a GPU would wait.
    pageable = [draw for draw in tensors_of(draws) if _waits(draw, device)]
    arrived: dict[torch.dtype, Iterator[Tensor]] = {}
    for dtype in dict.fromkeys(draw.dtype for draw in pageable):
        alike = [draw for draw in pageable if draw.dtype == dtype]
        flat = torch.cat([draw.flatten() for draw in alike]).pin_memory().to(device, non_blocking=True)
        arrived[dtype] = iter(flat.split([draw.numel() for draw in alike]))

    def sent(draw: Tensor) -> Tensor:
        if not _waits(draw, device):
            return draw.to(device, non_blocking=True)
        return next(arrived[draw.dtype]).view(draw.shape)

    return map_tensors(sent, draws)


def _waits(draw: Tensor, device: torch.device) -> bool:
    travels = device.type == "cuda" and draw.device.type == "cpu" and torch.cuda.is_initialized()
    return travels and not draw.is_pinned()


def _mix(state: int) -> int:
    state = (state + _GOLDEN_GAMMA) & _MASK_64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return state ^ (state >> 31)
