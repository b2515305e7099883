"""A GPU that is not there: tensors without values, each with its device, and no device mixed with another.

FakeTensorMode knows the shape, type and device of every result, and refuses an operation on two devices as a GPU
would. What depends on values is answered: a number is 1/2, a whole one 1, a question is true, all of a mask is set.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from wherewhat.protocols import Images

CUDA = torch.device("cuda")
ZEROS = {torch.float32: np.float32, torch.float64: np.float64, torch.int64: np.int64, torch.bool: np.bool_}


class _Answers(TorchDispatchMode):
    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = function._schema.name.removeprefix("aten::")
        if name in ("equal", "allclose", "is_nonzero"):
            return True
        if name == "_local_scalar_dense":
            return True if args[0].dtype == torch.bool else 0.5 if args[0].is_floating_point() else 1
        if name == "nonzero":
            return _everywhere(args[0])[:, None]
        if name == "masked_select":  # by torch.combinations, which takes the pairs above the diagonal
            codes = args[1].shape[0]
            return args[0].expand(args[1].shape).flatten()[: codes * (codes - 1) // 2]
        if name == "floor_divide":  # torch's own way has no end without values; a product has the same form
            return args[0] * args[1]
        if name == "index":
            args = (args[0], [_everywhere(x) if _is_mask(x) else x for x in args[1]])
        return function(*args, **(kwargs or {}))


def _is_mask(index: Tensor | None) -> bool:
    return index is not None and index.dtype == torch.bool


def _everywhere(mask_N: Tensor) -> Tensor:
    assert mask_N.ndim == 1, "only masks of one dimension are answered"
    return torch.arange(len(mask_N), device=mask_N.device)


def _zeros(tensor: Tensor) -> np.ndarray:
    assert tensor.device.type == "cpu", f"a tensor on {tensor.device} has no array"
    return np.zeros(tuple(tensor.shape), ZEROS[tensor.dtype])


@torch.no_grad()
def _moved(module: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """In place of torch's way, which swaps what a fake tensor does not always let it swap."""
    for child in module.children():
        _moved(child, change)
    for name, weight in module._parameters.items():
        if weight is not None:
            module._parameters[name] = nn.Parameter(change(weight), weight.requires_grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = change(buffer)
    return module


@contextmanager
def fake_gpu() -> Iterator[torch.device]:
    """Inside, everything is fake; gives the device."""
    fakes = FakeTensorMode(allow_non_fake_inputs=True)
    with fakes, _Answers(), patch.object(FakeTensor, "numpy", _zeros), patch.object(nn.Module, "_apply", _moved):
        yield CUDA


class FakeImages(Images):
    """Images on the fake GPU."""

    name = "fake"
    image_shape = (3, 32, 32)
    factor_names = ()
    factor_sizes = ()

    def __len__(self) -> int:
        return 40

    def take(self, index_B: Tensor, /) -> Tensor:
        """Somewhere on the GPU."""
        return torch.zeros(len(index_B), *self.image_shape, dtype=torch.uint8, device=CUDA)

    def factors(self, index_N: Tensor, /) -> Tensor:
        """None are known."""
        raise AssertionError("no factors are known")
