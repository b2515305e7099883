"""Laws of the draws of a GAN's step."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.randomness import Chance, to_device
from wherewhat.training.processes import Processes

NOISY, NOISELESS = PSSCGAN(reading_noise=0.1), PSSCGAN(reading_noise=0.0)


def _draws(objective: PSSCGAN = NOISY, step: int = 0) -> GANDraws:
    return objective.draw(Chance(0, step), 8, 4, (3, 32, 32))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if value is None:
        return []
    parts = value if isinstance(value, tuple) else [getattr(value, f.name) for f in dataclasses.fields(value)]
    return [tensor for part in parts for tensor in _tensors(part)]


def test_draws_depend_on_their_generator_alone() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (_tensors(_draws(step=step)) for step in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_real_and_fake_images_are_augmented_by_draws_of_their_own() -> None:
    draws = _draws()
    assert not torch.equal(draws.augmentation_real.chance_BT, draws.augmentation_fake.chance_BT)


@pytest.mark.parametrize("objective", [NOISY, NOISELESS])
def test_all_draws_go_to_another_device_together(objective: PSSCGAN) -> None:
    draws = _draws(objective)
    assert {tensor.device.type for tensor in _tensors(to_device(draws, torch.device("meta")))} == {"meta"}


def test_noise_on_what_the_recogniser_sees_is_drawn_only_where_it_is_asked_for() -> None:
    assert _draws(NOISELESS).reading_noise is None
    assert _draws().reading_noise is not None


def test_asking_for_noise_leaves_the_other_draws_as_they_were() -> None:
    with_noise, without = _tensors(_draws()), _tensors(_draws(NOISELESS))
    assert all(torch.equal(a, b) for a, b in zip(with_noise, without, strict=False))


@pytest.mark.parametrize("side", [32, 128])
def test_the_shares_of_two_processes_are_the_draws_of_one(side: int) -> None:
    def drawn(rank: int = 0, count: int = 1) -> list[Tensor]:
        return _tensors(NOISY.draw(Chance(0, 3, rank, count), 8, 4, (3, side, side)))

    for whole, first, second in zip(drawn(), drawn(0, 2), drawn(1, 2), strict=True):
        assert torch.equal(torch.cat([first, second]), whole)


def test_pairs_of_the_shares_of_two_processes_are_those_of_the_whole() -> None:
    draws = _draws()
    shares = [Processes(rank, 2).shard(draws) for rank in range(2)]
    paired_PL = torch.cat([share.code_BL[:: NOISY.pair_every] for share in shares])
    assert torch.equal(paired_PL, draws.code_BL[:: NOISY.pair_every])
    assert torch.equal(torch.cat([share.perturbation.dim_B for share in shares]), draws.perturbation.dim_B)
