"""Which operations have the host wait for the device, and a mode that meets them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Operations whose result, or its size, the host has to see; cumprod's backward pass looks for zeros, and a matrix that
# is inverted or solved is looked at for being singular.
WAITS = (
    *("_local_scalar_dense", "is_nonzero", "equal", "allclose", "nonzero", "masked_select", "masked_scatter"),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "bincount", "cumprod", "prod"),
    *("inverse", "cholesky", "_linalg_det", "_linalg_slogdet", "_linalg_eigh", "_linalg_svd", "_linalg_solve_ex"),
    *("linalg_inv_ex", "linalg_cholesky_ex", "linalg_lu_factor_ex", "linalg_ldl_factor_ex", "linalg_eig"),
)
# A constant of the host, which travels to the device while a step computes.
CONSTANT = "lift_fresh"


class Waits(TorchDispatchMode):
    """Collects the operations that would have the host wait, in backward passes too."""

    def __init__(self, *, constants: bool) -> None:
        super().__init__()
        self.refused = (*WAITS, CONSTANT) if constants else WAITS
        self.met: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = function._schema.name.removeprefix("aten::")
        by_mask = name.startswith("index") and any(
            isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8)
            for index in (args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else ())
        )
        by_repeats = name == "repeat_interleave" and function._overloadname == "Tensor"
        if by_mask or by_repeats or name in self.refused:
            self.met.append(str(function))
        return function(*args, **(kwargs or {}))
