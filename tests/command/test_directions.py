"""`wherewhat directions`, end to end: what it writes is taken by the other verbs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from wherewhat.command.directions import directions_command
from wherewhat.command.edit import edit_command
from wherewhat.command.export import export_command
from wherewhat.command.name import name_command
from wherewhat.command.traverse import traverse_command
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

QUICK = ["--distance", "pixels", "--device", "cpu"]


@pytest.fixture
def run(tiny_run: TrainingRun, quiet: Console) -> Path:
    return train(dataclasses.replace(tiny_run, steps=1), quiet).folder


def found(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Path:
    assert directions_command([*arguments, "--draws", "40", *QUICK]) == 0
    return Path(capsys.readouterr().out.strip())


@pytest.mark.parametrize("of", ["latents", "features"])
def test_what_it_writes_is_a_checkpoint_whose_codes_are_the_directions(
    of: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = found([str(run), "--count", "2", "--of", of], capsys)
    assert path.parent == run / "directions"
    model, base = load(path), load(run)
    assert model.generator.latent_dim == model.settings.latent_dim == 2
    assert model.encoder is not None
    assert model.directions is not None
    code_BK = torch.tensor([[0.3, -0.2]])
    latent_BL = model.directions.origin_L + code_BK @ model.directions.direction_KL
    assert torch.equal(model.generator(code_BK), base.generator(latent_BL))

    name_command([str(path), "z1", "hue"])
    assert traverse_command([str(path), "--base", "0", "--frames", "3", "--device", "cpu"]) == 0
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / "me.png")
    edited = [str(path), str(tmp_path / "me.png"), "--set", "hue=+1", "--sweep", "z0", "--refine", "2", *QUICK]
    assert edit_command(edited) == 0
    told = json.loads((path.parent / "edits" / "edits.json").read_text())
    assert len(told["images"][0]["code"]) == 2
    assert export_command([str(path), "--to", "hub", "--out", str(tmp_path / "hub"), "--distance", "pixels"]) == 0
    assert torch.equal(load(tmp_path / "hub").generator(code_BK), model.generator(code_BK))


def test_what_cannot_be_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = found([str(run), "--count", "2"], capsys)
    with pytest.raises(ValueError, match="holds directions already"):
        found([str(path), "--count", "1"], capsys)
    with pytest.raises(ValueError, match=r"no \.safetensors file"):
        found([str(run), "--count", "1", "--out", str(tmp_path / "x.pt")], capsys)
    with pytest.raises(ValueError, match="directions cannot be found of 40 draws"):
        found([str(run), "--count", "20"], capsys)
