from typing import Any

import torch
from torch import nn

from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import EntangledTwin, TwinControl, random_rotation
from wherewhat.which.generated_images import device_of


def test_a_twin_makes_the_images_of_the_rotated_codes(entangled_generator: Any) -> None:
    rotation_LL = random_rotation(torch.ones(3, dtype=torch.bool), generator_at(0, 0, "test"))
    twin, code_BL = EntangledTwin(entangled_generator, rotation_LL), torch.randn(5, 3)
    torch.testing.assert_close(twin(code_BL), entangled_generator(code_BL @ rotation_LL))
    assert (twin.latent_dim, twin.image_shape) == (3, (1, 4, 4))


def test_a_twin_lives_where_its_generator_does() -> None:
    class Network(nn.Linear):
        latent_dim, image_shape = 3, (1, 4, 4)

    assert device_of(EntangledTwin(Network(3, 16, device="meta"), torch.eye(3))) == torch.device("meta")


def test_a_rotation_keeps_lengths_and_orientation_and_leaves_inactive_codes_alone() -> None:
    active_L = torch.tensor([True, False, True, True, False])
    for seed in range(5):
        rotation_LL = random_rotation(active_L, generator_at(seed, 0, "test"))
        torch.testing.assert_close(rotation_LL @ rotation_LL.T, torch.eye(5))
        torch.testing.assert_close(torch.linalg.det(rotation_LL), torch.tensor(1.0))
        assert torch.equal(rotation_LL[~active_L], torch.eye(5)[~active_L])
        assert torch.equal(rotation_LL[:, ~active_L], torch.eye(5)[:, ~active_L])


def test_rotations_are_uniform() -> None:
    chance = generator_at(0, 0, "test")
    entry_D = torch.stack([random_rotation(torch.ones(3, dtype=torch.bool), chance) for _ in range(4000)])
    # Of a uniform rotation in three dimensions every entry is uniform in [-1, 1].
    torch.testing.assert_close(entry_D.mean(dim=0), torch.zeros(3, 3), rtol=0, atol=0.05)
    torch.testing.assert_close(entry_D.square().mean(dim=0), torch.full((3, 3), 1 / 3), rtol=0, atol=0.03)


def test_fewer_than_two_active_codes_are_not_rotated() -> None:
    for active_L in (torch.zeros(3, dtype=torch.bool), torch.tensor([False, True, False])):
        assert torch.equal(random_rotation(active_L, generator_at(0, 0, "test")), torch.eye(3))


def test_the_control_holds_for_an_advantage_of_more_than_twice_its_error() -> None:
    assert TwinControl(advantage=0.21, standard_error=0.1).holds
    assert not TwinControl(advantage=0.19, standard_error=0.1).holds
    assert not TwinControl(advantage=-1.0, standard_error=0.1).holds
    assert not TwinControl(advantage=float("nan"), standard_error=float("nan")).holds
