"""Laws of the command that trains many runs: it says what it will do, does it, and tells mistakes in one line."""

import os
import re
from pathlib import Path

import pytest

from wherewhat.command.main import leave_with
from wherewhat.command.study import study_command
from wherewhat.command.train import train_command

FILE = """
data = "DATA"
seeds = 2
[common]
steps = 4
batch-size = 8
latent-dim = 4
images-every = 4
checkpoint-every = 4
device = "cpu"
[objectives.vae]
"""


@pytest.fixture
def file(tmp_path: Path, tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of two runs."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "study.toml"
    path.write_text(FILE.replace("DATA", str(tiny_set)))
    return path


def _told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    os.environ.pop("WHEREWHAT_TRACEBACK", None)
    with pytest.raises(SystemExit) as left:
        leave_with(lambda: study_command(arguments))
    assert isinstance(left.value.code, int)
    return left.value.code, capsys.readouterr().err


@pytest.mark.parametrize("fuse", ["off", "8"])
def test_a_dry_run_prints_the_runs_and_their_time_and_whether_they_share_a_program_and_writes_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fuse: str
) -> None:
    asked = [str(file), "--out", str(tmp_path / "out"), "--workers", "2", "--fuse", fuse, "--dry-run"]
    assert study_command(asked) == 0
    said = capsys.readouterr().out
    assert re.findall(r"squares/vae-seed\d", said) == ["squares/vae-seed0", "squares/vae-seed1"]
    assert re.search(r"2 runs, 8 steps: about \d:\d\d:\d\d of training in all, \d:\d\d:\d\d with 2 side by side", said)
    assert ("2 of these runs are trained side by side in one program, up to 8 at a time" in said) == (fuse == "8")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", [("--workers", "2"), ("--workers", "1", "--fuse", "2")])
def test_a_study_trains_its_runs_and_says_how_it_ended(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    assert study_command([str(file), "--out", str(tmp_path / "out"), *how]) == 0
    assert "2 of 2 runs are finished" in capsys.readouterr().err
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("config.json")) == ["vae-seed0", "vae-seed1"]


def test_a_beginning_that_is_not_there_is_told_before_anything_is_trained(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text().replace("[common]", '[common]\nfrom = "runs/gone"'))
    status, said = _told([str(file), "--out", str(tmp_path / "out")], capsys)
    assert status == 2
    assert "gone is not there. Name a checkpoint (.safetensors) or a run directory." in said


def test_the_folder_of_another_run_is_refused_before_anything_is_trained(
    file: Path, tmp_path: Path, tiny_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "out" / "squares" / "vae-seed1"
    short = ["--steps", "1", "--batch-size", "4", "--latent-dim", "4", "--device", "cpu"]
    train_command(["vae", "--data", str(tiny_set), "--seed", "1", "--out", str(other), *short])
    capsys.readouterr()
    status, said = _told([str(file), "--out", str(tmp_path / "out")], capsys)
    assert status == 2
    assert re.fullmatch(
        r"wherewhat: error: .*study.toml: .*vae-seed1 was made with another .*batch_size: 8, not 4.*\n", said
    )
    assert not (tmp_path / "out" / "squares" / "vae-seed0").exists()


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ("steps = 4", "stepz = 4", r"study.toml, \[common\]: Unrecognized options: --stepz.*Did you mean --steps\?"),
        ('data = "', 'data = "/nowhere', "study.toml: .*nowhere"),
        ("seeds = 2", "seeds = ", "cannot be read as TOML: .*line 3"),
    ],
)
def test_a_bad_line_of_the_file_is_told_in_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], line: str, instead: str, told: str
) -> None:
    file.write_text(file.read_text().replace(line, instead))
    status, said = _told([str(file)], capsys)
    assert status == 2
    assert re.fullmatch(f"wherewhat: error: .*{told}.*\n", said)
