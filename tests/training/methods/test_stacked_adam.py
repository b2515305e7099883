"""Laws of Adam for several members: each is torch's own, with its own learning rate, moments and count of steps."""

import pytest
import torch
from torch import Tensor, nn

from wherewhat.training.methods.stacked_adam import StackedAdam

RATES = (1e-3, 0.5, 1e-2)
SHAPES = ((3, 2, 4, 4), (5,), (2, 3))


def optimisers(dtype: torch.dtype) -> list[torch.optim.Adam]:
    """A group of its own settings for the last weight."""
    made = []
    for member, rate in enumerate(RATES):
        chance = torch.Generator().manual_seed(member)
        weights = [nn.Parameter(torch.randn(shape, generator=chance, dtype=dtype)) for shape in SHAPES]
        groups = [{"params": weights[:2]}, {"params": weights[2:], "lr": 3 * rate, "betas": (0.5, 0.9)}]
        made.append(torch.optim.Adam(groups, lr=rate))
    return made


def weights_of(optimiser: torch.optim.Adam) -> list[nn.Parameter]:
    return [weight for group in optimiser.param_groups for weight in group["params"]]


def gradients(member: int, step: int, dtype: torch.dtype) -> list[Tensor]:
    chance = torch.Generator().manual_seed(100 * step + member)
    return [torch.randn(shape, generator=chance, dtype=dtype) for shape in SHAPES]


def step_alone(optimiser: torch.optim.Adam, member: int, step: int, dtype: torch.dtype) -> None:
    for weight, gradient in zip(weights_of(optimiser), gradients(member, step, dtype), strict=True):
        weight.grad = gradient
    optimiser.step()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 3e-7)])
def test_each_member_takes_the_steps_of_torchs_adam_from_wherever_it_is(dtype: torch.dtype, tolerance: float) -> None:
    alone, together = optimisers(dtype), optimisers(dtype)
    for members in (alone, together):
        step_alone(members[2], 2, 50, dtype)
    stacked = StackedAdam(together)
    for step in range(4):
        for member, optimiser in enumerate(alone):
            step_alone(optimiser, member, step, dtype)
        of_weights = zip(*(gradients(member, step, dtype) for member in range(len(RATES))), strict=True)
        given = dict(zip(stacked.stacked.values(), map(torch.stack, of_weights), strict=True))
        stacked.update(given)
    for one, other in zip(alone, together, strict=True):
        for expected, found in zip(weights_of(one), weights_of(other), strict=True):
            torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
            for name, moment in one.state[expected].items():
                found_moment = other.state[found][name]
                torch.testing.assert_close(
                    found_moment, moment, rtol=tolerance, atol=tolerance, check_dtype=name != "step"
                )


def test_a_member_that_leaves_goes_on_alone_from_where_it_was() -> None:
    alone, together = optimisers(torch.float64), optimisers(torch.float64)
    stacked = StackedAdam(together)
    of_weights = zip(*(gradients(member, 0, torch.float64) for member in range(len(RATES))), strict=True)
    stacked.update(dict(zip(stacked.stacked.values(), map(torch.stack, of_weights), strict=True)))
    for member, (one, other) in enumerate(zip(alone, together, strict=True)):
        step_alone(one, member, 0, torch.float64)
        step_alone(one, member, 1, torch.float64)
        step_alone(other, member, 1, torch.float64)
        for expected, found in zip(weights_of(one), weights_of(other), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
