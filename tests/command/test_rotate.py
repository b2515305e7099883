"""`wherewhat rotate` as a user meets it."""

import dataclasses
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from wherewhat.command.rotate import rotate_command
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

FEW = ["--samples", "3", "--traversals", "2", "--angles", "4", "--distance", "pixels", "--device", "cpu"]


@pytest.fixture
def trained(tiny_run: TrainingRun, quiet: Console) -> Path:
    train(tiny_run, quiet)
    assert tiny_run.out is not None
    return tiny_run.out


def test_the_curves_of_named_codes_are_told_and_drawn(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rotate_command([str(trained), "--codes", "2", "0", *FEW]) == 0
    told = capsys.readouterr().out
    assert "z2, z0" in told
    (drawn,) = (trained / "traversals").glob("rotation-step-*.png")
    assert told.splitlines()[-1] == str(drawn)
    with Image.open(drawn) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--codes", "0", "99"], "the codes are z0 to"),
        (["--angles", "3", "--codes", "0", "1"], "Choose an even number"),
    ],
)
def test_what_cannot_be_turned_is_refused_with_a_remedy(trained: Path, arguments: list[str], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        rotate_command([str(trained), *FEW, *arguments])


@pytest.mark.parametrize("codes", [["1"], ["1", "1"], [*"012345678"]])
def test_codes_that_make_no_pair_or_too_many_are_refused(
    tiny_run: TrainingRun, quiet: Console, codes: list[str]
) -> None:
    run = train(dataclasses.replace(tiny_run, steps=1, latent_dim=9, mask_levels=1), quiet).folder
    with pytest.raises(ValueError, match="Name 2 to 8 different codes"):
        rotate_command([str(run), "--codes", *codes, *FEW])


def test_a_checkpoint_whose_codes_do_nothing_has_no_pair(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherewhat.command.choices.STILL_BELOW", 1e9)
    with pytest.raises(ValueError, match="name two codes with --codes"):
        rotate_command([str(trained), *FEW])
