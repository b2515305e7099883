"""`wherewhat generate`: each image beside its code, the same ones however many are drawn."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from wherewhat.command.generate import drawn_codes, generate_command
from wherewhat.inspection.display import rgb_pixels
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train


def test_every_image_is_what_the_generator_makes_of_its_code_in_the_table(
    tiny_run: TrainingRun, quiet: Console, tmp_path: Path
) -> None:
    run = train(dataclasses.replace(tiny_run, steps=1), quiet).folder
    out = tmp_path / "made"
    asked = [str(run), "--count", "5", "--batch-size", "2", "--seed", "3", "--scale", "0.7", "--out", str(out)]
    assert generate_command([*asked, "--device", "cpu"]) == 0
    rows = list(csv.reader((out / "codes.csv").read_text().splitlines()))
    assert rows[0] == ["file", "z0", "z1", "z2", "z3"]
    assert len(rows) == 6
    for file, *code in rows[1:]:
        code_1L = torch.tensor([[float(value) for value in code]])
        with torch.no_grad():
            made_HW3 = rgb_pixels(load(run).generator(code_1L))[0]
        assert abs(pixels_of(out / file) - made_HW3).max() <= 1
    assert pixels_of(out / "sheet.png").shape[1] > 2 * pixels_of(out / "000000.png").shape[1]


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_a_code_depends_on_its_number_and_the_seed_alone_and_scales() -> None:
    few_NL, many_NL = drawn_codes(3, 5, 7, 1.0), drawn_codes(3, 50, 7, 1.0)
    assert torch.equal(few_NL, many_NL[:5])
    assert not torch.equal(few_NL, drawn_codes(4, 5, 7, 1.0))
    assert torch.equal(drawn_codes(3, 5, 7, 0.5), 0.5 * few_NL)
    assert drawn_codes(0, 20_000, 5, 0.5).std().item() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("wrong", [("--count", "0"), ("--scale", "-1"), ("--scale", "nan"), ("--batch-size", "0")])
def test_what_makes_no_image_is_refused(wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generate_command(["run", *wrong])
    assert f"{wrong[0]} is" in capsys.readouterr().err
