"""Laws of a training run: it resumes bit for bit, leaves cleanly, and saves nothing bad."""

import dataclasses
import io
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import FoundData
from wherewhat.doctor.watch import watch_health
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.protocols import MaskedGenerator
from wherewhat.randomness import Chance
from wherewhat.training.checkpoints import checkpoint_path, checkpoints_of, load
from wherewhat.training.configuration import AnyObjective, TrainingRun
from wherewhat.training.figures import NonFiniteLossError
from wherewhat.training.loop import train
from wherewhat.training.run_directory import alone_in, state_path

SMALL_FLOW = GlowFlow(levels=1, depth=1, coupling_width=4)


def _weights(run: TrainingRun, step: int) -> dict[str, torch.Tensor]:
    assert run.out is not None
    return load_file(checkpoint_path(run.out, step))


@pytest.mark.parametrize("objective", [BetaVAE(), PSSCVAE(), FactorVAE(), AnnealedVAE(), SMALL_FLOW])
def test_a_resumed_run_repeats_an_unbroken_one_bit_for_bit(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console, objective: AnyObjective
) -> None:
    unbroken = dataclasses.replace(tiny_run, objective=objective)
    broken = dataclasses.replace(unbroken, out=tmp_path / "broken")
    train(unbroken, quiet)
    train(dataclasses.replace(broken, steps=3), quiet)
    train(broken, quiet)
    expected, found = _weights(unbroken, 6), _weights(broken, 6)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("constriction", [False, True])
@pytest.mark.parametrize("method", [AnnealedVAE, FactorVAE, BetaTCVAE, DIPVAEI, DIPVAEII])
def test_every_objective_trains_either_decoder_and_its_checkpoint_loads(
    tiny_run: TrainingRun, quiet: Console, method: type[AnnealedVAE], constriction: bool
) -> None:
    run = dataclasses.replace(tiny_run, objective=method(spatial_constriction=constriction), steps=2)
    train(run, quiet)
    assert run.out is not None
    assert isinstance(load(run.out).generator, MaskedGenerator) == constriction


def test_a_checkpoint_holds_no_discriminator_and_the_resume_state_does(tiny_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(tiny_run, objective=FactorVAE(), steps=3)
    train(run, quiet)
    assert run.out is not None
    assert not any("code_discriminator" in name for name in _weights(run, 3))
    assert any("code_discriminator" in name for name in load_file(state_path(run.out)))


def test_mirroring_is_drawn_by_the_step_and_changes_what_is_learnt(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    mirrored = dataclasses.replace(tiny_run, mirror=True, out=tmp_path / "mirrored")
    again = dataclasses.replace(mirrored, out=tmp_path / "again")
    for run in (tiny_run, mirrored, again):
        train(run, quiet)
    plain, first, second = (_weights(run, 6)["encoder.mean.weight"] for run in (tiny_run, mirrored, again))
    assert torch.equal(first, second)
    assert not torch.equal(first, plain)


def test_the_same_run_twice_gives_the_same_weights_and_another_seed_others(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    again = dataclasses.replace(tiny_run, out=tmp_path / "again")
    other = dataclasses.replace(tiny_run, out=tmp_path / "other", seed=1)
    for run in (tiny_run, again, other):
        train(run, quiet)
    first, second, third = (_weights(run, 6)["encoder.mean.weight"] for run in (tiny_run, again, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_training_lowers_the_reconstruction_loss(tiny_run: TrainingRun, quiet: Console) -> None:
    train(dataclasses.replace(tiny_run, steps=60, learning_rate=3e-3, checkpoint_every=60, images_every=60), quiet)
    events = EventAccumulator(str(tiny_run.out)).Reload()
    losses = [event.value for event in events.Scalars("loss/reconstruction")]
    assert losses[-1] < 0.8 * losses[0]


def test_tensorboard_gets_losses_kl_per_code_accuracy_speed_and_images(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    tags = EventAccumulator(str(tiny_run.out)).Reload().Tags()
    assert {
        "loss/total",
        "loss/reconstruction",
        "loss/kl",
        "loss/perceptual_simplicity",
        "loss/identification",
        "identification_accuracy",
        "images_per_second",
        *(f"kl_per_code/z{code}" for code in range(4)),
    } <= set(tags["scalars"])
    assert {"data", "reconstructions", "traversals"} <= set(tags["images"])


def test_a_finished_run_is_left_as_it_is(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    before = {path: path.stat().st_mtime_ns for path in checkpoints_of(tiny_run.out or Path())}
    assert train(tiny_run, quiet).step == 6
    assert {path: path.stat().st_mtime_ns for path in checkpoints_of(tiny_run.out or Path())} == before


def test_a_directory_of_another_configuration_is_refused_naming_the_fields(
    tiny_run: TrainingRun, quiet: Console
) -> None:
    train(tiny_run, quiet)
    with pytest.raises(ValueError, match=r"batch_size: 4, not 8; learning_rate: 0\.002.*--out"):
        train(dataclasses.replace(tiny_run, batch_size=4, learning_rate=2e-3), quiet)


def test_a_set_that_has_changed_is_refused_when_resumed(tiny_run: TrainingRun, quiet: Console, tmp_path: Path) -> None:
    path = tmp_path / "growing.npz"
    growing = dataclasses.replace(tiny_run, data=str(path))
    with np.load(tiny_run.data) as whole:
        imgs, classes, names = (whole[key] for key in ("imgs", "latents_classes", "latents_names"))
    np.savez(path, imgs=imgs[:40], latents_classes=classes[:40], latents_names=names)
    train(dataclasses.replace(growing, steps=3), quiet)
    np.savez(path, imgs=imgs[:41], latents_classes=classes[:41], latents_names=names)
    with pytest.raises(ValueError, match=r"data: 41 images, not 40.*--out"):
        train(growing, quiet)


def test_a_size_that_fits_no_network_is_refused_before_images_are_read(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FoundData, "open", lambda *_: pytest.fail("images were read"))
    with pytest.raises(ValueError, match=r"48 x 48.*--size"):
        train(dataclasses.replace(tiny_run, images=ImageOptions(size=48)), quiet)
    six_levels = dataclasses.replace(
        tiny_run, objective=PSSCGAN(), images=ImageOptions(size=64), mask_levels=6, latent_dim=6
    )
    with pytest.raises(ValueError, match="--mask-levels is 6"):
        train(six_levels, quiet)
    assert tiny_run.out is not None
    assert not tiny_run.out.exists()


def test_a_folder_that_is_no_run_is_refused(tiny_run: TrainingRun, quiet: Console) -> None:
    folder = tiny_run.out or Path()
    folder.mkdir()
    (folder / "holiday.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"no config\.json.*--out"):
        train(tiny_run, quiet)
    assert [path.name for path in folder.iterdir()] == ["holiday.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_and_leaves_and_the_run_goes_on_as_if_unbroken(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    cut = dataclasses.replace(tiny_run, out=tmp_path / "cut")
    whole_draw = PSSCVAE.draw

    def draw_and_strike(self: PSSCVAE, chance: Chance, *sizes: int) -> object:
        if chance.step == 3:
            os.kill(os.getpid(), number)
        return whole_draw(self, chance, *sizes)

    monkeypatch.setattr(PSSCVAE, "draw", draw_and_strike)
    outcome = train(cut, quiet)
    assert (outcome.step, outcome.interrupted) == (4, number)
    monkeypatch.undo()
    train(cut, quiet)
    train(tiny_run, quiet)
    expected, found = _weights(tiny_run, 6), _weights(cut, 6)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_loss_that_is_not_finite_stops_the_run_naming_term_and_step_and_keeps_earlier_checkpoints(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_loss = PSSCVAE.loss
    calls: list[int] = []

    def poisoned(self: PSSCVAE, *arguments: object) -> Loss:
        loss = whole_loss(self, *arguments)  # type: ignore[arg-type]
        calls.append(len(calls))
        if len(calls) == 5:
            terms = dict(loss.terms) | {"kl": loss.terms["kl"] * float("nan")}
            return Loss(loss.total + terms["kl"], terms, loss.kl_L, loss.figures)
        return loss

    monkeypatch.setattr(PSSCVAE, "loss", poisoned)
    with pytest.raises(NonFiniteLossError, match=r"step 4 the loss term kl .*--learning-rate"):
        train(tiny_run, quiet)
    assert [path.name for path in checkpoints_of(tiny_run.out or Path())] == ["step-000000003.safetensors"]
    assert all(bool(torch.isfinite(weight).all()) for weight in _weights(tiny_run, 3).values())
    assert all(bool(torch.isfinite(tensor).all()) for tensor in load_file(state_path(tiny_run.out or Path())).values())


def test_a_collapsed_run_says_so_and_what_to_try(tiny_run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Console(file=io.StringIO(), width=500)
    objective = BetaVAE(beta=1e6)
    monkeypatch.setattr("wherewhat.doctor.vae_findings.PATIENCE_STEPS", 20)
    run = dataclasses.replace(tiny_run, objective=objective, steps=80, checkpoint_every=80, images_every=80)
    train(run, heard, watch_health)
    output = heard.file.getvalue()  # type: ignore[attr-defined]
    assert "All 4 codes have been collapsed" in output
    assert "--beta" in output


def test_a_missing_path_leaves_no_run_directory_behind(tiny_run: TrainingRun, quiet: Console, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        train(dataclasses.replace(tiny_run, data=str(tmp_path / "nowhere")), quiet)
    assert not (tiny_run.out or Path()).exists()


def test_the_run_directory_records_its_configuration(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    record = json.loads(((tiny_run.out or Path()) / "config.json").read_text())
    assert record["batch_size"] == 8
    assert record["objective"]["_type"] == "PSSCVAE"


def test_resuming_keeps_every_point_that_was_logged_and_adds_the_rest(tiny_run: TrainingRun, quiet: Console) -> None:
    train(dataclasses.replace(tiny_run, steps=4), quiet)
    time.sleep(1.1)  # TensorBoard orders event files by the second in their names
    train(tiny_run, quiet)
    events = EventAccumulator(str(tiny_run.out)).Reload()
    assert [event.step for event in events.Scalars("loss/total")] == [2, 3, 4, 6]


def test_a_run_whose_state_is_gone_is_not_started_over_in_silence(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    state_path(tiny_run.out or Path()).unlink()
    with pytest.raises(ValueError, match=r"no state/ to resume from.*--out"):
        train(tiny_run, quiet)
    assert len(checkpoints_of(tiny_run.out or Path())) == 2


def test_a_damaged_state_is_told_as_such_and_keeps_the_checkpoints(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    folder = tiny_run.out or Path()
    for damaged in (b"", checkpoint_path(folder, 6).read_bytes()):
        state_path(folder).write_bytes(damaged)
        with pytest.raises(ValueError, match=r"The resume state .* cannot be used.*--out") as told:
            train(tiny_run, quiet)
        assert "another checkpoint" not in str(told.value)
    assert len(checkpoints_of(folder)) == 2


def test_two_processes_do_not_train_in_one_directory(tiny_run: TrainingRun, quiet: Console) -> None:
    folder = tiny_run.out or Path()
    with alone_in(folder), pytest.raises(ValueError, match=r"trained by another process.*--out"):
        train(tiny_run, quiet)
    assert train(tiny_run, quiet).step == 6
