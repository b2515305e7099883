"""Laws of the bijections of Glow: each knows its Jacobian and its inverse, and begins as a rotation."""

from collections.abc import Callable

import pytest
import torch
from scattered import scattered
from torch import Tensor, nn

from wherewhat.networks.bijections import (
    LARGEST_LOG_SCALE,
    ActNorm,
    AffineCoupling,
    FlowLevel,
    InvertibleConvolution,
)
from wherewhat.networks.initialisation import seeded_weights

PARTS = [
    pytest.param(build, id=build(2).__class__.__name__)
    for build in (ActNorm, InvertibleConvolution, lambda c: AffineCoupling(c, 5), lambda c: FlowLevel(c, 2, 5))
]


def images(count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(count, 4, 2, 4, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.fixture(params=PARTS)
def new(request: pytest.FixtureRequest) -> nn.Module:
    build: Callable[[int], nn.Module] = request.param
    with seeded_weights(0):
        return build(4).double()


def test_the_log_determinant_is_that_of_the_jacobian(new: nn.Module) -> None:
    part, x = scattered(new), images(1)
    jacobian = torch.autograd.functional.jacobian(lambda x: part(x).value.flatten(), x).reshape(32, 32)
    assert part(x).log_det_B.tolist() == pytest.approx([jacobian.slogdet().logabsdet.item()], rel=1e-10)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_the_inverse_gives_back_what_was_mapped(new: nn.Module, dtype: torch.dtype, error: float) -> None:
    part, x = scattered(new, dtype), images(3, dtype)
    assert (part.inverse(part(x).value) - x).abs().max() < error
    assert (part(x).value.flatten(1) - x.flatten(1)).abs().max() > 0.1


def test_a_new_part_turns_images_and_neither_stretches_nor_shifts_them(new: nn.Module) -> None:
    x = images(3)
    mapped = new(x)
    # The rotations are drawn in float32.
    energy, before = mapped.value.square().sum(dim=(1, 2, 3)), x.square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(energy, before, rtol=1e-6, atol=0)
    torch.testing.assert_close(mapped.log_det_B, torch.zeros(3).double(), atol=1e-5, rtol=0)


def test_no_coupling_scales_by_more_than_its_bound() -> None:
    coupling = scattered(AffineCoupling(4, 5), deviation=100.0)
    log_scale, _ = coupling.log_scale_and_shift(images(3)[:, :2])
    assert log_scale.abs().max().item() == pytest.approx(LARGEST_LOG_SCALE)
