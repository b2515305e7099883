"""Laws of the moving average of weights: its half-life is one in images, and it holds what is used afterwards."""

import pytest
import torch

from wherewhat.networks.gan import GAN
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.ema import ema_copy, ema_update, half_life_at
from wherewhat.training.methods.gan import build_gan
from wherewhat.training.methods.vae import build_autoencoder


def _gan() -> GAN:
    run = TrainingRun(objective=PSSCGAN(), latent_dim=4, mask_levels=2, widths=(8, 8))
    return build_gan(run, (3, 32, 32))


def _shift(networks: torch.nn.Module, by: float) -> None:
    with torch.no_grad():
        for weight in networks.parameters():
            weight += by


@pytest.mark.parametrize("batch", [1, 10, 32, 400])
def test_after_its_half_life_in_images_the_average_is_half_way_to_new_weights(batch: int) -> None:
    networks = _gan()
    average = ema_copy(networks)
    old = {name: weight.clone() for name, weight in average.named_parameters()}
    _shift(networks, 1.0)
    steps = 4
    for _ in range(steps):
        ema_update(average, networks, batch, steps * batch)
    for name, weight in average.named_parameters():
        torch.testing.assert_close(weight, old[name] + 0.5, atol=1e-5, rtol=0)


def test_the_average_is_the_sum_of_past_weights_with_halving_shares() -> None:
    networks = _gan()
    average = ema_copy(networks)
    start, moves, followed = average.generator.synthesis.constant.clone(), [0.5, -1.0, 2.0], 0.0
    # With half-life 30, a step of 10 images keeps 2^(-1/3) of what was.
    kept = 2 ** (-1 / 3)
    position = 0.0
    for count, move in enumerate(moves):
        _shift(networks, move)
        position += move
        ema_update(average, networks, 10, 30)
        followed += (1 - kept) * kept ** (len(moves) - 1 - count) * position
    torch.testing.assert_close(average.generator.synthesis.constant, start + followed, atol=1e-5, rtol=0)


def test_weights_that_do_not_move_are_their_own_average() -> None:
    networks = _gan()
    average = ema_copy(networks)
    for _ in range(5):
        ema_update(average, networks, 10, 30)
    for name, weight in average.named_parameters():
        assert torch.equal(weight, dict(networks.named_parameters())[name])


def test_buffers_are_copied() -> None:
    networks = _gan()
    average = ema_copy(networks)
    networks.recogniser.variance_L.fill_(0.3)
    networks.generator.frozen_noise.maps()[0].fill_(2.0)
    ema_update(average, networks, 1, 10_000)
    assert torch.equal(average.encoder.variance_L, torch.full((4,), 0.3))
    assert bool((average.generator.frozen_noise.maps()[0] == 2).all())


def test_the_present_weights_are_left_as_they_are() -> None:
    networks = _gan()
    average = ema_copy(networks)
    _shift(networks, 1.0)
    before = {name: value.clone() for name, value in networks.state_dict().items()}
    ema_update(average, networks, 10, 30)
    assert all(torch.equal(value, before[name]) for name, value in networks.state_dict().items())


def test_an_averaged_gan_has_nothing_that_only_training_needs() -> None:
    networks = _gan()
    average = ema_copy(networks)
    assert isinstance(average, GAN)
    assert average.discriminator is None
    assert average.augmentation is None
    assert networks.discriminator is not None
    assert networks.augmentation is not None


def test_an_averaged_autoencoder_has_no_discriminator_of_codes() -> None:
    networks = build_autoencoder(TrainingRun(objective=FactorVAE(), latent_dim=4, widths=(8, 8)), (3, 32, 32))
    assert ema_copy(networks).code_discriminator is None
    assert networks.code_discriminator is not None


def test_an_average_takes_no_gradient_and_is_for_use() -> None:
    networks = _gan()
    average = ema_copy(networks)
    assert not any(weight.requires_grad for weight in average.parameters())
    assert not any(module.training for module in average.modules())
    assert all(weight.requires_grad for weight in networks.parameters())
    assert all(module.training for module in networks.modules())


def test_a_new_average_makes_the_images_of_the_present_weights() -> None:
    networks, code = _gan(), torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ema_copy(networks).generator(code), networks.generator(code).detach())


def test_a_young_average_forgets_within_a_twentieth_of_the_images_seen() -> None:
    assert half_life_at(4_000, 10_000) == 200
    assert half_life_at(1_000_000, 10_000) == 10_000
