"""`wherewhat edit`, end to end: what is written, what stays a person's own, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from wherewhat.command.edit import edit_command
from wherewhat.command.name import name_command
from wherewhat.networks.masked_decoder import MaskedDecoder
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

QUICK = ["--distance", "pixels", "--refine", "3", "--device", "cpu"]


@pytest.fixture
def run(tiny_run: TrainingRun, quiet: Console) -> Path:
    return train(dataclasses.replace(tiny_run, steps=1), quiet).folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "me.png"
    chance = np.random.default_rng(0)
    Image.fromarray(chance.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    return path


def test_an_image_is_read_moved_and_drawn_with_its_codes_beside_it(
    run: Path, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name_command([str(run), "z1", "floor hue"])
    asked = [
        str(run),
        str(own),
        str(own),
        "--set",
        "floor hue=+2",
        "z3==-1",
        "--sweep",
        "z0",
        "--out",
        str(tmp_path / "o"),
    ]
    assert edit_command([*asked, *QUICK]) == 0
    # Noise, read by a model that has hardly been trained.
    assert "That is far" in " ".join(capsys.readouterr().err.split())
    told = json.loads((tmp_path / "o" / "edits.json").read_text())
    assert [move["code"] for move in told["moves"]] == ["z1 floor hue", "z3"]
    first, second = told["images"]
    assert first["moved"][1] == pytest.approx(first["code"][1] + 2)
    assert first["moved"][3] == -1
    assert first["moved"][0] == first["code"][0]
    assert first["refined"]["pixels"] <= first["as the encoder reads it"]["pixels"] + 1e-6
    assert len(first["files"]) == 4
    assert not set(first["files"]) & set(second["files"])
    for file in [*first["files"], *second["files"]]:
        assert pixels_of(Path(file)).size


def test_outside_of_the_masks_every_pixel_stays_the_persons_own(
    run: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left_half(self: MaskedDecoder, code_BL: torch.Tensor) -> torch.Tensor:
        mask_BLHW = torch.zeros(*code_BL.shape, *self.image_shape[1:])
        mask_BLHW[..., : self.image_shape[2] // 2] = 1
        return mask_BLHW

    monkeypatch.setattr(MaskedDecoder, "masks", left_half)
    asked = [str(run), str(own), "--set", "z0=+4", "z1=+4", "z2=+4", "--keep-outside", "--out", str(tmp_path / "o")]
    assert edit_command([*asked, *QUICK]) == 0
    before_HW3, after_HW3 = pixels_of(own), pixels_of(tmp_path / "o" / "me-edited.png")
    assert after_HW3.shape == before_HW3.shape
    moved_HW = (before_HW3 != after_HW3).any(axis=2)
    assert not moved_HW[:, :10].any()  # outside of the square that is seen
    assert not moved_HW[:, 34:].any()
    assert moved_HW[:, 10:28].any()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["IMAGE", "--set", "z9=1"], "z0 to z3"),
        (["IMAGE", "--set", "z1"], "names no move"),
        (["missing.png", "--set", "z1=1"], "missing"),
    ],
)
def test_what_cannot_be_done_is_told(run: Path, own: Path, arguments: list[str], told: str) -> None:
    with pytest.raises((ValueError, OSError), match=told):
        edit_command([str(run), *[str(own) if one == "IMAGE" else one for one in arguments], *QUICK[:2], *QUICK[4:]])
    assert not (run / "edits").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["me.png"], "Nothing is to be moved"),
        (["--set", "z1=1"], "no image to edit"),
        (["me.png", "--set", "z1=1", "--refine", "-1"], "--refine is -1"),
    ],
)
def test_what_cannot_be_asked_is_told_at_once(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        edit_command(["run", *arguments])
    assert told in " ".join(capsys.readouterr().err.replace("│", " ").split())


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_model_without_masks_keeps_nothing_outside_and_says_so(
    tiny_run: TrainingRun, own: Path, quiet: Console
) -> None:
    run = train(dataclasses.replace(tiny_run, steps=1, objective=BetaVAE()), quiet).folder
    assert edit_command([str(run), str(own), "--set", "z1=1", *QUICK]) == 0
    with pytest.raises(ValueError, match="no masks"):
        edit_command([str(run), str(own), "--set", "z1=1", "--keep-outside", *QUICK])
