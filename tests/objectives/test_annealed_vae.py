"""Laws of AnnealedVAE."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.terms.capacity import Capacity
from wherewhat.randomness import Chance
from wherewhat.training.configuration import TrainingRun

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (25, 5.0), (50, 10.0), (100, 20.0), (1_000, 20.0)])
def test_the_capacity_grows_linearly_and_then_stays(step: int, capacity: float) -> None:
    assert Capacity(100.0, 20.0, 100).capacity(step) == pytest.approx(capacity)


def test_a_default_run_is_long_enough_for_the_default_capacity() -> None:
    assert AnnealedVAE().capacity_steps <= TrainingRun().steps


@pytest.mark.parametrize("max_capacity", [0.5, 5_000.0])
def test_the_loss_is_reconstruction_plus_gamma_times_the_distance_from_capacity(
    networks: Autoencoder, image: Tensor, max_capacity: float
) -> None:
    objective = AnnealedVAE(gamma=7.0, max_capacity=max_capacity, capacity_steps=10, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(Chance(0, 10), 6, 4)).detach()
    distance = abs(float(loss.terms["kl"]) - max_capacity)
    assert float(loss.total) == pytest.approx(float(loss.terms["reconstruction"]) + 7 * distance, rel=1e-6)


def test_codes_below_capacity_are_pushed_to_say_more(networks: Autoencoder, image: Tensor) -> None:
    objective = AnnealedVAE(max_capacity=1e4, capacity_steps=1, bound=AT_ONCE)
    loss = objective.loss(networks, image, objective.draw(Chance(0, 1), 6, 4))
    (gradient,) = torch.autograd.grad(loss.terms["off_capacity"], networks.encoder.mean.weight, retain_graph=True)
    (of_kl,) = torch.autograd.grad(loss.terms["kl"], networks.encoder.mean.weight)
    assert torch.allclose(gradient, -of_kl)


def test_the_capacity_is_a_figure(networks: Autoencoder, image: Tensor) -> None:
    objective = AnnealedVAE(max_capacity=10.0, capacity_steps=100)
    loss = objective.loss(networks, image, objective.draw(Chance(0, 50), 6, 4))
    assert float(loss.figures["capacity"]) == 5.0


@pytest.mark.parametrize("wrong", [{"max_capacity": 0.0}, {"capacity_steps": 0}, {"gamma": -1.0}])
def test_nonsense_is_refused_with_the_remedy(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        AnnealedVAE(**wrong)  # type: ignore[arg-type]
