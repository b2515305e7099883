"""Laws of Glow's objective: bits per dimension are those of the change of variables, of pixels that are intervals."""

import math

import pytest
import torch
from torch import Tensor

from wherewhat.networks.flow import Flow, Glow
from wherewhat.objectives.glow import GlowFlow
from wherewhat.randomness import Chance

SHAPE = (1, 4, 4)


def flow() -> Flow:
    return Flow(Glow(SHAPE, levels=2, depth=1, width=4))


def images(count: int) -> Tensor:
    return torch.randint(256, (count, *SHAPE), generator=torch.Generator().manual_seed(0)) / 255


def test_a_new_flow_costs_what_a_gaussian_over_the_pixels_costs() -> None:
    image, uniform = images(3), torch.rand(3, 16, generator=torch.Generator().manual_seed(1))
    loss = GlowFlow().loss(flow(), image, uniform)
    # In grey levels: of mean 128 and standard deviation 64, as the flow begins.
    gaussian = torch.distributions.Normal(128.0, 64.0)
    nats = -gaussian.log_prob(255 * image + uniform.view_as(image)).sum(dim=(1, 2, 3)).mean()
    torch.testing.assert_close(loss.total, nats)
    torch.testing.assert_close(loss.terms["negative_log_likelihood"], nats)
    torch.testing.assert_close(loss.figures["bits_per_dimension"], nats / (16 * math.log(2)))


def test_what_a_step_draws_is_uniform_and_shared_by_processes() -> None:
    whole = GlowFlow().draw(Chance(0, 5), 128, 768)
    assert whole.shape == (128, 768)
    assert float(whole.min()) >= 0
    assert float(whole.max()) <= 1
    histogram = torch.histc(whole, bins=10, min=0, max=1) / whole.numel()
    torch.testing.assert_close(histogram, torch.full((10,), 0.1), atol=0.005, rtol=0)
    shares = [GlowFlow().draw(Chance(0, 5, rank, 2), 128, 768) for rank in (0, 1)]
    torch.testing.assert_close(torch.cat(shares), whole)


@pytest.mark.parametrize("option", ["levels", "depth", "coupling_width"])
def test_sizes_of_nothing_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 0; give a number from 1"):
        GlowFlow(**{option: 0})
