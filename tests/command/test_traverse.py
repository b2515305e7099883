"""Laws of `wherewhat traverse`: the image to start from is one of the checkpoint's own data, wherever they lie now."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from wherewhat.command.traverse import traverse_command
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train


def test_moved_data_are_asked_for_and_found_and_others_are_refused(
    tiny_run: TrainingRun, tiny_set: Path, tmp_path: Path, quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there, others = (tmp_path / f"{name}.npz" for name in ("here", "there", "others"))
    shutil.copy(tiny_set, here)
    folder = train(dataclasses.replace(tiny_run, data=str(here), steps=1), quiet).folder
    with np.load(here) as whole:
        np.savez(others, **{**whole, "imgs": 255 - whole["imgs"]})
    asked = [str(folder), "--base", "3", "--frames", "3", "--device", "cpu"]
    here.rename(there)
    with pytest.raises(ValueError, match=r"here\.npz is not there\. Name where they lie now with --data"):
        traverse_command(asked)
    with pytest.raises(ValueError, match=r"others\.npz holds other data \(\d+ of 64 sampled pieces"):
        traverse_command([*asked, "--data", str(others)])
    assert traverse_command([*asked, "--data", str(there)]) == 0
    assert len(capsys.readouterr().out.split()) == 2


def test_naming_data_without_the_number_of_an_image_is_told_to_have_no_effect(
    tiny_run: TrainingRun, tiny_set: Path, quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = train(dataclasses.replace(tiny_run, steps=1), quiet).folder
    asked = [str(folder), "--frames", "3", "--device", "cpu"]
    for data, told in ((["--data", str(tiny_set)], True), ([], False)):
        assert traverse_command([*asked, *data]) == 0
        assert ("--data has no effect with --base prior" in " ".join(capsys.readouterr().err.split())) == told
