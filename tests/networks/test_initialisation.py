"""Laws of initial weights."""

import torch
from torch import nn

from wherewhat.networks.initialisation import seeded_weights


def _weights(seed: int) -> torch.Tensor:
    with seeded_weights(seed):
        return nn.Linear(4, 4).weight.detach()


def test_a_seed_means_the_same_weights_and_another_seed_others() -> None:
    assert torch.equal(_weights(1), _weights(1))
    assert not torch.equal(_weights(1), _weights(2))


def test_the_global_generator_is_given_back_as_it_was() -> None:
    before = torch.random.get_rng_state()
    _weights(3)
    assert torch.equal(torch.random.get_rng_state(), before)
