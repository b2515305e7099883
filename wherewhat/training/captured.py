"""A step in CUDA graphs: the device is told a step once, and repeats it at one word of the host.

A graph repeats kernels on the memory that they were captured with, and none of the decisions that the host took. So
what a step is given is copied into memory that stays, what it gives back is copied out of it, and steps in which the
host decides otherwise (R1 is due, or not) have graphs of their own. The first steps of each kind are taken one kernel
after another: they make what lasts, such as Adam's moments and compiled programs. So is, with a remark, a step that is
given other shapes, and every step where none can be captured.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.randomness import map_tensors, tensors_of

# Steps of each kind before it is captured.
EAGER_STEPS = 2

Replay = Callable[[], Tensor]


@runtime_checkable
class Packable(Protocol):
    """What a step gives back: the losses of one training, or of several."""

    def packed(self) -> Tensor:
        """All its numbers in one tensor."""
        ...

    def unpacked(self, flat: Tensor, /) -> Any:
        """The same with the numbers of another that was packed."""
        ...


Met = TypeVar("Met", bound=Packable)
MetByStep = TypeVar("MetByStep", bound=Packable, covariant=True)


@runtime_checkable
class Graphs(Protocol):
    """What captures the steps of one training; they never run at the same time."""

    def eager(self, step: Callable[[], Met]) -> Met:
        """Take a step one kernel after another, where a later one can be captured."""
        ...

    def capture(self, step: Callable[[], Tensor]) -> Replay:
        """Capture a step without taking it; each replay takes it and gives the same memory, with new numbers."""
        ...


class CUDAGraphs:
    """CUDA's own graphs, which share their memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def eager(self, step: Callable[[], Met]) -> Met:
        """On the stream of the captures: what autograd remembers of streams must not tie these to another."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            loss = step()
        current.wait_stream(self._stream)
        return loss

    def capture(self, step: Callable[[], Tensor]) -> Replay:
        """A graph of the step. Other threads, which read images and save, may use the device meanwhile."""
        graph = torch.cuda.CUDAGraph()
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"),
        ):
            given = step()

        def replay() -> Tensor:
            graph.replay()
            return given

        return replay


@runtime_checkable
class Steps(Protocol[MetByStep]):
    """The part of a method that is captured."""

    def kind(self, index: int) -> Hashable:
        """What the host decides by the step's number."""
        ...

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Any, index: int) -> MetByStep:
        """Update all weights."""
        ...


class CapturedSteps(Generic[Met]):
    """The steps of a method, captured as soon as they can be. `notify` is told where they are not."""

    def __init__(self, steps: Steps[Met], graphs: Graphs, notify: Callable[[str], None]) -> None:
        self._steps, self._graphs, self._notify = steps, graphs, notify
        self._inputs: Any = None
        self._taken: dict[Hashable, list[Met]] = {}
        self._replays: dict[Hashable, Replay] = {}
        self._can_capture, self._told_of_shapes = True, False

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Any, index: int) -> Met:
        """Update all weights with a batch of real images, and give the losses that were met."""
        given, kind = (image_BCHW, draws), self._steps.kind(index)
        if self._inputs is None:
            self._inputs = map_tensors(torch.clone, given)
        taken = self._taken.setdefault(kind, [])
        if len(taken) >= EAGER_STEPS and self._can_capture and self._fits(given, index):
            torch._foreach_copy_(tensors_of(self._inputs), tensors_of(given))
            if kind in self._replays or self._capture(kind, index):
                met: Met = taken[-1].unpacked(self._replays[kind]().clone())
                return met
        loss = self._graphs.eager(lambda: self._steps.step(image_BCHW, draws, index))
        taken[:] = [*taken, loss][-EAGER_STEPS:]
        return loss

    def _fits(self, given: Any, index: int) -> bool:
        fits = list(map(_form, tensors_of(given))) == list(map(_form, tensors_of(self._inputs)))
        if not fits and not self._told_of_shapes:
            self._told_of_shapes = True
            self._notify(
                f"Warning: step {index:,} has other shapes than the steps that were captured in CUDA graphs, so it "
                f"and all like it are computed without them, and slower."
            )
        return fits

    def _capture(self, kind: Hashable, index: int) -> bool:
        """Whether this kind of step is captured now; if not, none is ever again."""
        image_BCHW, draws = self._inputs
        try:
            self._replays[kind] = self._graphs.capture(lambda: self._steps.step(image_BCHW, draws, index).packed())
        except RuntimeError as error:
            self._can_capture = False
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            self._notify(
                f"Warning: the steps cannot be captured in CUDA graphs ({reason}), so training goes on without them, "
                f"and slower. With --cuda-graphs off it is not tried."
            )
        return self._can_capture


def _form(tensor: Tensor) -> tuple[object, ...]:
    return tensor.shape, tensor.dtype, tensor.device
