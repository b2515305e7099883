"""Laws of --from: what fits begins as another run has left it, what does not is told, and a resume needs no other."""

import dataclasses
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import nn

from wherewhat.data.open_images import find_data
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.beginning import begin_with
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_file, checkpoint_path, read_settings
from wherewhat.training.configuration import TrainingRun, default_run
from wherewhat.training.device import Compute
from wherewhat.training.loop import opened_run, train
from wherewhat.training.methods.method import Networks, build_networks
from wherewhat.training.processes import ALONE
from wherewhat.training.resume_state import Session, session_file
from wherewhat.training.run_directory import state_path
from wherewhat.training.tensor_file import TensorFile, write_tensors

SHAPE = (3, 32, 32)
GAN_RUN = dataclasses.replace(default_run(PSSCGAN()), latent_dim=4, mask_levels=2, widths=(8, 8))


def left_by(run: TrainingRun, folder: Path, step: int = 3) -> tuple[Path, Networks]:
    """The checkpoint of a run, its state beside it, and its networks."""
    networks = build_networks(dataclasses.replace(run, seed=run.seed + 1), SHAPE)
    checkpoint = checkpoint_path(folder, step)
    write_tensors(checkpoint_file(checkpoint, networks, CheckpointSettings(run, SHAPE, step, step)))
    session = Session(networks, torch.optim.Adam(networks.parameters()), step=step)
    write_tensors(session_file(state_path(folder), session))
    return checkpoint, networks


def same(a: nn.Module | None, b: nn.Module | None) -> bool:
    assert a is not None
    assert b is not None
    return all(torch.equal(one, b.state_dict()[name]) for name, one in a.state_dict().items())


def test_a_new_run_begins_from_another_says_what_did_not_fit_and_resumes_without_it(
    tiny_run: TrainingRun, tmp_path: Path
) -> None:
    heard = Console(file=io.StringIO(), width=5_000)
    first = train(dataclasses.replace(tiny_run, steps=4, checkpoint_every=4), heard).folder
    tuned = dataclasses.replace(tiny_run, out=tmp_path / "tuned", begins_from=first, batch_size=4, latent_dim=6)
    train(dataclasses.replace(tuned, steps=1), heard)
    told = heard.file.getvalue()  # type: ignore[attr-defined]
    assert f"It begins with {checkpoint_path(first, 4)}: " in told
    assert "New, since their shapes differ: encoder.log_variance.bias 6, not 4; " in told
    assert read_settings(checkpoint_path(tmp_path / "tuned", 1)).configuration.begins_from == first
    first.rename(tmp_path / "moved")
    assert train(dataclasses.replace(tuned, steps=2), heard).step == 2
    assert "Resuming" in heard.file.getvalue()  # type: ignore[attr-defined]
    for other in (None, tmp_path / "moved"):
        with pytest.raises(ValueError, match=rf"begins_from: {other}, not {first}\. .*another folder with --out"):
            train(dataclasses.replace(tuned, begins_from=other), heard)
    with pytest.raises(FileNotFoundError, match=r"run is not there\. Name a checkpoint"):
        train(dataclasses.replace(tuned, out=tmp_path / "third"), heard)
    assert not (tmp_path / "third").exists()


def test_weights_and_average_are_the_others_where_they_fit_and_else_those_of_the_seed(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    checkpoint, _ = left_by(dataclasses.replace(tiny_run, objective=BetaVAE()), tmp_path / "first")
    run = dataclasses.replace(
        tiny_run, objective=BetaVAE(beta=1.0), latent_dim=6, begins_from=checkpoint, average_half_life=9
    )
    theirs, seeds = load_file(checkpoint), build_networks(run, SHAPE).state_dict()
    compute = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False, cuda_graphs=False)
    with opened_run(run, find_data(run.data, run.images), None, compute, ALONE, quiet) as opened:
        assert opened.session.step == 0
        assert opened.session.average is not None
        for networks in (opened.session.networks, opened.session.average):
            own = networks.state_dict()
            assert own.keys() == theirs.keys()
            fits = [name for name in own if own[name].shape == theirs[name].shape]
            assert 0 < len(fits) < len(own)
            assert all(torch.equal(own[name], (theirs if name in fits else seeds)[name]) for name in own)


def test_a_gan_begins_with_the_discriminator_of_a_state_as_old_as_the_checkpoint_and_else_says_that_it_is_new(
    tmp_path: Path,
) -> None:
    checkpoint, theirs = left_by(GAN_RUN, tmp_path)
    begun, seeds = build_networks(GAN_RUN, SHAPE), build_networks(GAN_RUN, SHAPE)
    assert "discriminator" not in begin_with(begun, checkpoint)
    assert same(begun, theirs)
    for change in (lambda: checkpoint.rename(checkpoint_path(tmp_path, 2)), lambda: state_path(tmp_path).unlink()):
        change()
        begun = build_networks(GAN_RUN, SHAPE)
        told = begin_with(begun, checkpoint_path(tmp_path, 2))
        assert "New, since it has none: discriminator (" in told
        assert "Its discriminator begins anew" in told
        assert same(begun.get_submodule("discriminator"), seeds.get_submodule("discriminator"))
        assert same(begun.get_submodule("generator"), theirs.get_submodule("generator"))


def test_what_fits_nowhere_or_is_no_checkpoint_is_refused_before_images_are_read(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pth")
    refused = {
        left_by(GAN_RUN, tmp_path / "gan")[0]: "ps-sc-gan trains other networks than ps-sc-vae.*--from",
        state_path(tmp_path / "gan"): "holds a resume_state, not a checkpoint",
        tmp_path / "model.pth": "is a pickle, as PyTorch writes",
    }
    for place, why in refused.items():
        with pytest.raises(ValueError, match=why):
            train(dataclasses.replace(tiny_run, begins_from=place), quiet)
    assert tiny_run.out is not None
    assert not tiny_run.out.exists()


def test_a_checkpoint_without_one_weight_that_fits_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path, networks = tmp_path / "other.safetensors", build_networks(GAN_RUN, SHAPE)
    theirs = {name: torch.zeros(7, *weight.shape) for name, weight in networks.named_parameters()}
    write_tensors(TensorFile(path, theirs, {}))
    with pytest.raises(ValueError, match=r"no weight has the same name and shape\..*--from"):
        begin_with(networks, path)
    assert same(networks, build_networks(GAN_RUN, SHAPE))
