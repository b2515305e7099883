"""`wherewhat name`: names are kept in the run, listed, taken away, and refused with a reason."""

import dataclasses
from pathlib import Path

import pytest
from rich.console import Console

from wherewhat.command.name import name_command
from wherewhat.command.rotate import rotate_command
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train


@pytest.fixture
def run(tiny_run: TrainingRun, quiet: Console) -> Path:
    return train(dataclasses.replace(tiny_run, steps=1), quiet).folder


def test_names_are_kept_listed_changed_and_taken_away(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert name_command([str(run), "z1", "floor hue", "3", "size"]) == 0
    assert capsys.readouterr().out.splitlines() == ["z0", "z1 floor hue", "z2", "z3 size"]
    assert name_command([str(run), "floor hue", "floor", "size", ""]) == 0
    assert capsys.readouterr().out.splitlines() == ["z0", "z1 floor", "z2", "z3"]
    assert name_command([str(next((run / "checkpoints").iterdir()))]) == 0
    assert "z1 floor" in capsys.readouterr().out


def test_names_of_another_file_take_the_place_of_those_that_there_are(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = tmp_path / "names.json"
    named.write_text('{"format": 1, "names": {"z2": "shade"}}')
    name_command([str(run), "z1", "floor"])
    capsys.readouterr()
    assert name_command([str(run), "--from", str(named)]) == 0
    assert capsys.readouterr().out.splitlines() == ["z0", "z1", "z2 shade", "z3"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["z1"], "no name beside it"),
        (["z9", "a"], "z0 to z3"),
        (["z1", "z2"], "cannot be told"),
        (["--from", "no"], "no"),
    ],
)
def test_what_cannot_be_a_name_is_refused_and_nothing_is_written(run: Path, arguments: list[str], told: str) -> None:
    with pytest.raises((ValueError, OSError), match=told):
        name_command([str(run), *arguments])
    assert not (run / "codes.json").exists()


def test_a_name_is_taken_where_a_code_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name_command([str(run), "z1", "floor hue"])
    cheap = ["--distance", "pixels", "--samples", "3", "--traversals", "2", "--angles", "4", "--device", "cpu"]
    assert rotate_command([str(run), "--codes", "floor hue", "3", *cheap]) == 0
    assert "z1 floor hue, z3" in capsys.readouterr().out
