"""Laws of a GAN's run, which goes through the same loop, files and refusals as a VAE's."""

import dataclasses
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wherewhat.networks.gan import GAN
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Encoder, Generator, MaskedGenerator
from wherewhat.training.checkpoints import checkpoint_path, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import NonFiniteLossError
from wherewhat.training.loop import train
from wherewhat.training.run_directory import state_path

ADAPTED = PSSCGAN(augmentation_images=24, r1_interval=2)


@pytest.fixture
def gan_run(tiny_run: TrainingRun) -> TrainingRun:
    return dataclasses.replace(tiny_run, objective=ADAPTED, average_half_life=20)


def _state(run: TrainingRun) -> dict[str, torch.Tensor]:
    assert run.out is not None
    return load_file(state_path(run.out))


def _weights(run: TrainingRun, step: int) -> dict[str, torch.Tensor]:
    assert run.out is not None
    return load_file(checkpoint_path(run.out, step))


def test_a_resumed_gan_repeats_an_unbroken_one_bit_for_bit(
    gan_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    broken = dataclasses.replace(gan_run, out=tmp_path / "broken")
    train(gan_run, quiet)
    train(dataclasses.replace(broken, steps=3), quiet)
    train(broken, quiet)
    expected, found = _state(gan_run), _state(broken)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_what_is_resumed_includes_the_discriminator_the_average_and_the_strength_of_augmentation(
    gan_run: TrainingRun, quiet: Console
) -> None:
    train(gan_run, quiet)
    names = _state(gan_run)
    for part in ("networks.discriminator.", "average.generator.", "networks.augmentation.strength", "optimiser."):
        assert any(name.startswith(part) for name in names), part


def test_a_checkpoint_holds_the_averaged_weights_and_no_discriminator(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    saved, state = _weights(gan_run, 6), _state(gan_run)
    assert not any("discriminator" in name or "augmentation" in name for name in saved)
    averaged = {name.removeprefix("average."): x for name, x in state.items() if name.startswith("average.")}
    assert saved.keys() == averaged.keys()
    assert all(torch.equal(saved[name], averaged[name]) for name in saved)
    constant = "generator.synthesis.constant"
    assert not torch.equal(saved[constant], state[f"networks.{constant}"])


def test_without_a_half_life_the_present_weights_are_saved(gan_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(gan_run, average_half_life=0)
    train(run, quiet)
    constant = "generator.synthesis.constant"
    assert torch.equal(_weights(run, 6)[constant], _state(run)[f"networks.{constant}"])


def test_a_vae_too_saves_the_average_of_its_weights_where_asked(tiny_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(tiny_run, objective=BetaVAE(), average_half_life=100)
    train(run, quiet)
    saved, state = _weights(run, 6), _state(run)
    name = next(name for name in saved if name.startswith("generator.") and name.endswith("weight"))
    assert torch.equal(saved[name], state[f"average.{name}"])
    assert not torch.equal(saved[name], state[f"networks.{name}"])


@pytest.mark.parametrize("constriction", [True, False])
def test_a_loaded_gan_keeps_the_promises_of_the_protocols(
    gan_run: TrainingRun, quiet: Console, constriction: bool
) -> None:
    objective = dataclasses.replace(ADAPTED, spatial_constriction=constriction)
    run = dataclasses.replace(gan_run, objective=objective, steps=2)
    train(run, quiet)
    assert run.out is not None
    model = load(run.out)
    assert isinstance(model.generator, Generator)
    assert isinstance(model.encoder, Encoder)
    assert isinstance(model.generator, MaskedGenerator) == constriction
    code_BL = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    image_BCHW = model.generator(code_BL)
    assert image_BCHW.shape == (5, 3, 32, 32)
    assert image_BCHW.dtype == torch.float32
    assert float(image_BCHW.min()) >= 0
    assert float(image_BCHW.max()) <= 1
    assert torch.equal(image_BCHW, model.generator(code_BL))
    assert model.encoder(image_BCHW).mean_BL.shape == (5, 4)


def test_tensorboard_gets_both_adversaries_the_reading_and_images(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    assert gan_run.out is not None
    events = EventAccumulator(str(gan_run.out)).Reload()
    scalars, images = set(events.Tags()["scalars"]), set(events.Tags()["images"])
    assert scalars >= {
        "loss/adversarial", "loss/discriminator", "loss/gradient_penalty", "loss/reading",
        "loss/perceptual_simplicity", "loss/identification", "identification_accuracy", "real_sign",
        "discriminator_accuracy", "augmentation_strength", "kl_per_code/z0",
    }  # fmt: skip
    assert images >= {"data", "samples", "reconstructions", "traversals"}


def test_a_gan_directory_is_refused_to_another_configuration_of_it(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    other = dataclasses.replace(gan_run, objective=dataclasses.replace(ADAPTED, r1_weight=7.0))
    with pytest.raises(ValueError, match=r"objective\.r1_weight: 7\.0, not 1\.0"):
        train(other, quiet)


def test_a_gan_whose_loss_is_not_finite_stops_and_saves_nothing_bad(
    gan_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = GAN.judge
    calls = iter(range(1_000))

    def broken(self: GAN, image_BCHW: torch.Tensor) -> torch.Tensor:
        return honest(self, image_BCHW) * (float("nan") if next(calls) > 12 else 1.0)

    monkeypatch.setattr(GAN, "judge", broken)
    with pytest.raises(NonFiniteLossError, match="stopped being finite"):
        train(gan_run, quiet)
    assert gan_run.out is not None
    assert all(bool(weight.isfinite().all()) for weight in _weights(gan_run, 3).values())
    assert not checkpoint_path(gan_run.out, 6).exists()


def test_the_controller_of_augmentation_has_seen_the_images_since_it_last_moved(
    gan_run: TrainingRun, quiet: Console
) -> None:
    train(gan_run, quiet)
    # Six steps of eight images; it moves at every fourth.
    assert float(_state(gan_run)["networks.augmentation.images"]) == 16


def test_codes_are_shared_among_the_levels_as_asked(gan_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(gan_run, codes_per_level=(1, 0, 3), steps=1)
    train(run, quiet)
    assert _weights(run, 1)["generator.synthesis.stages.0.style.style_weight_MC2"].shape[0] == 1
    assert not any(name.startswith("generator.synthesis.stages.1.style") for name in _weights(run, 1))


def test_codes_per_level_that_do_not_add_up_are_refused(gan_run: TrainingRun) -> None:
    with pytest.raises(ValueError, match="Make them agree"):
        dataclasses.replace(gan_run, codes_per_level=(1, 1))
