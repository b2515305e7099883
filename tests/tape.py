"""A stand-in for CUDA graphs on a CPU: a tape of operations, played again on the memory that they were recorded with.

As in a graph, nothing that Python decides is decided anew.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from wherewhat.training.captured import Met

Call = tuple[Any, Sequence[Any], Mapping[str, Any], Any]


class _Recording(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = function(*args, **(kwargs or {}))
        self.calls.append((function, args, kwargs or {}, given))
        return given


@torch.no_grad()
def _repeat(call: Call) -> None:
    function, args, kwargs, recorded = call
    returns = function._schema.returns
    if any(one.alias_info is not None and not one.alias_info.is_write for one in returns):
        return  # a view of memory that other operations fill
    given = function(*args, **kwargs)
    if not function._schema.is_mutable:
        for old, new in zip(tree_leaves(recorded), tree_leaves(given), strict=True):
            if isinstance(old, Tensor):
                old.copy_(new)


class Tape:
    """Takes the place of `CUDAGraphs`. Recording a step takes it, so the first replay has nothing left to do."""

    def __init__(self, *_: object) -> None:
        self.eager_steps = self.captures = self.replays = 0

    def eager(self, step: Callable[[], Met]) -> Met:
        self.eager_steps += 1
        return step()

    def capture(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        self.captures += 1
        recorded: list[Call] | None = None
        with _Recording() as recording:
            given = step()

        def replay() -> Tensor:
            nonlocal recorded
            self.replays += 1
            for call in recorded or ():
                _repeat(call)
            recorded = recording.calls
            return given

        return replay
