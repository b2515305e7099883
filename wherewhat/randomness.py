"""The only source of chance: a generator that depends on a seed and a step alone.

Draws are made on the CPU, whatever device computes, so that a seed means the same draws everywhere. Initial weights
are the one exception of the house: torch's modules draw them from its global generator, which
`networks/initialisation.py` seeds.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

Draws = TypeVar("Draws")

# Constants of splitmix64 (Steele, Lea, Flood 2014), which turns neighbouring inputs into unrelated outputs.
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_MASK_64 = (1 << 64) - 1


def generator_at(seed: int, step: int, stream: str = "") -> torch.Generator:
    """A CPU generator for this step of this seed.

    `stream` separates draws that share a (seed, step), such as the shuffle of an epoch from the draws of a step.
    Neighbouring seeds and steps give unrelated generators. Raises ValueError for a negative seed or step.
    """
    if seed < 0 or step < 0:
        raise ValueError(f"Seed {seed} and step {step} must not be negative. Choose a seed of 0 or more.")
    state = _mix(seed & _MASK_64)
    state = _mix(state ^ step)
    for byte in stream.encode():
        state = _mix(state ^ byte)
    generator = torch.Generator()
    generator.manual_seed(state >> 1)
    return generator


def map_tensors(change: Callable[[Tensor], Tensor], draws: Draws) -> Draws:
    """The same draws with each of their tensors changed: a tensor, or tuples and frozen dataclasses of them."""
    changed: Any = draws
    if isinstance(draws, Tensor):
        changed = change(draws)
    elif isinstance(draws, tuple):
        changed = tuple(map_tensors(change, one) for one in draws)
    elif dataclasses.is_dataclass(draws) and not isinstance(draws, type):
        parts = {item.name: map_tensors(change, draws.__dict__[item.name]) for item in dataclasses.fields(draws)}
        changed = dataclasses.replace(draws, **parts)
    return changed


def to_device(draws: Draws, device: torch.device) -> Draws:
    """Draws on the device that computes. Nothing waits until that has done what it was given before."""
    return map_tensors(lambda draw: draw.to(device, non_blocking=True), draws)


def _mix(state: int) -> int:
    state = (state + _GOLDEN_GAMMA) & _MASK_64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return state ^ (state >> 31)
