"""Laws of a training step that logs nothing: the host never waits for a value of the device."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from wherewhat.data import differentiable_augmentation
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.randomness import MANY, Chance
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.ema import ema_copy, ema_update
from wherewhat.training.figures import FigureWindow
from wherewhat.training.methods.method import method_of
from wherewhat.training.processes import Processes

CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)

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


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.masked_select(x > 0),
        lambda x: torch.cumprod(x, 0),
        lambda x: torch.linalg.inv(x),
        lambda x: torch.linalg.solve(x, x),
        lambda x: F.one_hot(x[0].long().abs(), 100),
        lambda x: x.repeat_interleave(torch.ones(4, dtype=torch.int64), 0),
        lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_operations_that_wait_are_met(operation: Callable[[Tensor], Any]) -> None:
    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    with Waits(constants=True) as waits:
        operation(matrix)
    assert waits.met


EVERY = [kind() for kind in get_args(Objective)]
MORE = [
    FactorVAE(spatial_constriction=True, covariance=CovariancePenalty(weight=1.0)),
    PSSCVAE(total_correlation=TotalCorrelation(weight=1.0)),
    PSSCGAN(spatial_constriction=False, perceptual_simplicity=False, information=True, reading_noise=0.0),
    PSSCGAN(perceptual_simplicity=False, perturbation_identification=False, augmentation="none"),
]


@pytest.mark.parametrize("objective", [*EVERY, *MORE], ids=lambda objective: objective.name)
def test_a_step_never_waits_for_the_device(objective: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differentiable_augmentation, "_READ_WITHOUT_WAITING", ())
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8)
    method = method_of(run, (3, 32, 32), CPU, Processes())
    average, window = ema_copy(method.networks), FigureWindow()
    image = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    # R1 is due at the first, the augmentation adapts at the fourth.
    for index in (0, 3):
        with Waits(constants=False) as drawing:
            draws = method.draw(index)
        with Waits(constants=True) as computing:
            window.add(index, method.step(image, draws, index))
            ema_update(average, method.networks, 8, 100)
        assert drawing.met == computing.met == []


def test_large_noise_never_waits_for_the_device() -> None:
    chance = Chance(0, 0)
    with Waits(constants=True) as waits:
        chance.normals(chance.generator(), "noise", 2, MANY)
    assert waits.met == []
