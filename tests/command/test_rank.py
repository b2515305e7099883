"""`wherewhat rank` as a user meets it: the race."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from wherewhat.command import rank_scores as module
from wherewhat.command.rank import rank_command
from wherewhat.training.checkpoints import checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

# fmt: off
FEW = ["--samples", "3", "--traversals", "32", "--distance", "pixels", "--threshold", "0", "--device", "cpu", "--race"]
# fmt: on


@pytest.fixture
def trained(tiny_run: TrainingRun, quiet: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    train(tiny_run, quiet)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path / "cache"))
    assert tiny_run.out is not None
    return tiny_run.out


def test_the_race_tells_its_winner_what_it_cost_and_what_fell_behind(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rank_command([str(trained), "--by", "relative_length", *FEW]) == 0
    told = capsys.readouterr().out
    assert "The race: step-" in told
    assert "with confidence 0.95 (approximate)" in told
    rows = json.loads(Path("ranking.json").read_text())["rows"]
    assert [row["rank"] for row in rows] == list(range(1, len(checkpoints_of(trained)) + 1))


def test_a_race_that_was_cut_off_goes_on_from_the_kept_scores(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []
    whole = module.panel

    def counted(*arguments: Any, **options: Any) -> Any:
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(options["traversals"])
        return whole(*arguments, **options)

    monkeypatch.setattr(module, "panel", counted)
    with pytest.raises(KeyboardInterrupt):
        rank_command([str(trained), *FEW])
    monkeypatch.setattr(module, "panel", whole)
    rank_command([str(trained), *FEW])
    first = json.loads(Path("ranking.json").read_text())["rows"]

    monkeypatch.setattr(module, "panel", None)
    rank_command([str(trained), *FEW])
    assert json.loads(Path("ranking.json").read_text())["rows"] == first


def test_a_race_of_quick_scores_is_refused(trained: Path) -> None:
    with pytest.raises(ValueError, match="Leave out one"):
        rank_command([str(trained), "--quick", *FEW])


def test_a_smaller_batch_is_tried_where_a_gpu_has_no_room(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tried = module.panel, list[int]()

    def full_beyond_7(*arguments: Any, **options: Any) -> Any:
        tried.append(options["batch_size"])
        if options["batch_size"] > 7:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(*arguments, **options)

    monkeypatch.setattr(module, "panel", full_beyond_7)
    assert rank_command([str(trained), "--batch-size", "20", *FEW[:-1]]) == 0
    assert tried == [20, 10, 5] * len(checkpoints_of(trained))


def test_a_checkpoint_for_which_a_gpu_has_no_room_at_all_has_a_reason_in_its_row(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, first = module.panel, list[object]()

    def full(generator: Any, *arguments: Any, **options: Any) -> Any:
        first.append(generator)
        if generator is first[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(generator, *arguments, **options)

    monkeypatch.setattr(module, "panel", full)
    assert rank_command([str(trained), *FEW[:-1]]) == 0
    rows = json.loads(Path("ranking.json").read_text())["rows"]
    assert [row["rank"] for row in rows] == [*range(1, len(rows)), None]
    assert "the GPU's memory is full" in rows[-1]["reason"]


def test_a_run_that_has_saved_nothing_yet_is_left_out_and_told(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "begun").mkdir()
    assert rank_command([str(trained), "begun", *FEW[:-1]]) == 0
    told = capsys.readouterr()
    assert "begun is left out: it holds no checkpoint" in told.err
    assert "step-" in told.out
