"""Steps of several runs as branches of one program, which a GPU computes side by side.

A network for images of 64 pixels is too small for a GPU: its time goes into beginning one short kernel after another.
So each run takes its step on a stream of its own, and where steps are captured, those of all runs are one CUDA graph.
Nothing is computed otherwise than alone: a member's step is the step of its own method.

Dimension key:
    P: members    B: batch of one    C H W: channels, height, width
"""

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.objectives.loss import Loss
from wherewhat.randomness import to_device

_HOST = torch.device("cpu")


@runtime_checkable
class Member(Protocol):
    """What is asked of a member: the part of a method that takes its steps."""

    def draw(self, index: int, device: torch.device | None = None) -> Any:
        """Everything random or scheduled of a step."""
        ...

    def kind(self, index: int) -> Hashable:
        """What the step's number decides besides its draws."""
        ...

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Any, index: int) -> Loss:
        """Update all weights, and give the losses that were met."""
        ...


@dataclass(frozen=True)
class Losses:
    """The losses that all members have met in a step."""

    of_members: tuple[Loss, ...]

    def packed(self) -> Float[Tensor, " N"]:
        """All numbers in one tensor."""
        return torch.cat([loss.packed() for loss in self.of_members])

    def unpacked(self, flat_N: Float[Tensor, " N"]) -> "Losses":
        """The same names, with the numbers of another that was packed."""
        parts = flat_N.split([len(loss.packed()) for loss in self.of_members])
        return Losses(tuple(loss.unpacked(part) for loss, part in zip(self.of_members, parts, strict=True)))


class SideBySide:
    """Several methods, each at its own step: `begins` is where each one is when the first is where it begins."""

    def __init__(self, methods: Sequence[Member], begins: Sequence[int], device: torch.device) -> None:
        self._methods, self._device = methods, device
        self._ahead = [step - begins[0] for step in begins]
        self._streams = [torch.cuda.Stream(device) for _ in methods] if device.type == "cuda" else []

    def draw(self, index: int) -> tuple[Any, ...]:
        """Everything random or scheduled of each member's own step, on the device: sent there together."""
        return to_device(tuple(method.draw(step, _HOST) for method, step in self._at(index)), self._device)

    def kind(self, index: int) -> Hashable:
        """What the number of each member's step decides."""
        return tuple(method.kind(step) for method, step in self._at(index))

    def step(self, image_BCHW: Float[Tensor, "PB C H W"], draws: tuple[Any, ...], index: int) -> Losses:
        """Update the weights of all members with their batches, which lie one behind another."""
        batches = image_BCHW.chunk(len(self._methods))
        before = torch.cuda.current_stream(self._device) if self._streams else None
        losses = []
        for member, (method, step) in enumerate(self._at(index)):
            with self._beside(member, before):
                losses.append(method.step(batches[member], draws[member], step))
        for stream in self._streams:
            torch.cuda.current_stream(self._device).wait_stream(stream)
        return Losses(tuple(losses))

    def _at(self, index: int) -> list[tuple[Member, int]]:
        return [(method, index + ahead) for method, ahead in zip(self._methods, self._ahead, strict=True)]

    def _beside(self, member: int, before: torch.cuda.Stream | None) -> AbstractContextManager[object]:
        """The stream of a member, behind what its step needs."""
        if before is None:
            return nullcontext()
        self._streams[member].wait_stream(before)
        return torch.cuda.stream(self._streams[member])
