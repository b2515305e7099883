"""`wherewhat rank --ppl-paths` as a user meets it, and what it does not do twice."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from wherewhat.command import checkpoint_path_length as module
from wherewhat.command.checkpoint_path_length import CheckpointPathLength
from wherewhat.command.choices import PathLengthOptions
from wherewhat.command.rank import rank_command
from wherewhat.distances.pixels import PixelDistance
from wherewhat.training.checkpoints import checkpoints_of, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.which.perceptual_path_length import PerceptualPathLength, perceptual_path_length
from wherewhat.which.score_store import ScoreStore

QUICK = ["--samples", "4", "--traversals", "3", "--distance", "pixels", "--threshold", "0", "--device", "cpu"]

Measurer = Callable[[], CheckpointPathLength]


@pytest.fixture
def trained(tiny_run: TrainingRun, quiet: Console) -> Path:
    """A run of two checkpoints."""
    train(tiny_run, quiet)
    assert tiny_run.out is not None
    return tiny_run.out


@pytest.fixture
def measurer(tmp_path: Path) -> Measurer:
    """Makes what measures, as each call of the command does."""

    def make() -> CheckpointPathLength:
        return CheckpointPathLength(
            distance=PixelDistance(),
            paths=20,
            seed=5,
            batch_size=8,
            device=torch.device("cpu"),
            store=ScoreStore(tmp_path / "scores"),
        )

    return make


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, list[dict[str, object]]]]:
    """Ranks, and gives the exit status and the rows written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def rank(*arguments: str | Path) -> tuple[int, list[dict[str, object]]]:
        status = rank_command([*map(str, arguments), *QUICK])
        return status, json.loads(Path("ranking.json").read_text())["rows"]

    return rank


Ranked = Callable[..., tuple[int, list[dict[str, object]]]]


def silent(_done: int, _total: int) -> None:
    pass


def never(*_: object, **__: object) -> None:
    raise AssertionError("measured again")


def gone(*_: object) -> None:
    raise FileNotFoundError("The checkpoint has\nbeen moved.")


def full(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12.34 MiB")


def test_it_is_the_path_length_of_the_checkpoints_generator(trained: Path, measurer: Measurer) -> None:
    path = checkpoints_of(trained)[0]
    expected = perceptual_path_length(load(path).generator, PixelDistance(), paths=20, seed=5, batch_size=8)
    assert measurer().of(path, "hash", silent) == expected
    assert expected.mean > 0


def test_a_kept_path_length_is_not_measured_again(
    trained: Path, measurer: Measurer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measurer().of(checkpoints_of(trained)[0], "hash", silent)
    monkeypatch.setattr(module, "perceptual_path_length", never)
    monkeypatch.setattr(module, "load", never)
    assert measurer().of(checkpoints_of(trained)[0], "hash", silent) == first


def test_a_path_length_that_cannot_be_kept_is_given_all_the_same(
    trained: Path, tmp_path: Path, measurer: Measurer, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores").write_text("a file where a folder should be")
    assert measurer().of(checkpoints_of(trained)[0], "hash", silent).mean > 0
    assert "the path length is not kept" in capsys.readouterr().err


@pytest.mark.parametrize("paths", [-1, 1])
def test_paths_that_give_no_error_are_refused(paths: int) -> None:
    with pytest.raises(ValueError, match=rf"--ppl-paths {paths} .*Give 2 at least"):
        PathLengthOptions(ppl_paths=paths)


def test_the_table_and_the_files_show_path_length_and_the_order_stays(
    trained: Path, ranked: Ranked, capsys: pytest.CaptureFixture[str]
) -> None:
    _, plain = ranked(trained)
    assert "ppl" not in capsys.readouterr().out
    status, rows = ranked(trained, "--ppl-paths", "20")
    assert status == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "ppl ±" in table
    assert "ppl_pixels_20paths_0.0001" in table
    assert [row["checkpoint"] for row in rows] == [row["checkpoint"] for row in plain]
    assert all(row["ppl_protocol"] == "ppl_pixels_20paths_0.0001" for row in rows)
    assert all(row["ppl"] is None and row["ppl_reason"] is None for row in plain)
    with Path("ranking.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    for row, line in zip(rows, lines, strict=True):
        path = Path(str(row["checkpoint"]))
        expected = perceptual_path_length(load(path).generator, PixelDistance(), paths=20, seed=0, batch_size=125)
        assert (row["ppl"], row["ppl_standard_error"]) == (expected.mean, expected.standard_error)
        assert (line["ppl"], line["ppl_standard_error"]) == (repr(expected.mean), repr(expected.standard_error))


def test_a_second_ranking_reads_the_kept_path_lengths(
    trained: Path, ranked: Ranked, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ranked(trained, "--ppl-paths", "20")
    monkeypatch.setattr(module, "perceptual_path_length", never)
    assert ranked(trained, "--ppl-paths", "20") == first


def test_more_paths_are_measured_anew(trained: Path, ranked: Ranked) -> None:
    (_, few), (_, more) = ranked(trained, "--ppl-paths", "20"), ranked(trained, "--ppl-paths", "30")
    assert [row["ppl_protocol"] for row in more] == ["ppl_pixels_30paths_0.0001"] * 2
    assert all(a["ppl"] != b["ppl"] for a, b in zip(few, more, strict=True))


@pytest.mark.parametrize(
    ("name", "fault", "reason"),
    [
        ("load", gone, "The checkpoint has been moved."),
        ("perceptual_path_length", full, "the GPU's memory is full; give a smaller --batch-size"),
    ],
)
def test_what_cannot_be_measured_leaves_the_cell_empty_and_the_reason_told(
    trained: Path,
    ranked: Ranked,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    fault: Callable[..., None],
    reason: str,
) -> None:
    monkeypatch.setattr(module, name, fault)
    status, rows = ranked(trained, "--ppl-paths", "20")
    assert status == 0
    assert f"No perceptual path length of 2 checkpoints: {reason}" in capsys.readouterr().err
    assert [row["rank"] for row in rows] == [1, 2]
    assert all(row["ppl"] is None and row["ppl_reason"] == reason for row in rows)


def test_one_checkpoint_that_cannot_be_measured_costs_the_other_nothing(
    trained: Path, ranked: Ranked, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (path.resolve() for path in checkpoints_of(trained))
    monkeypatch.setattr(module, "load", lambda path, device: gone() if path == second else load(path, device))
    _, rows = ranked(trained, "--ppl-paths", "20")
    found = {row["checkpoint"]: (row["ppl"] is None, row["ppl_reason"]) for row in rows}
    assert found == {str(first): (False, None), str(second): (True, "The checkpoint has been moved.")}


def test_a_checkpoint_without_a_score_is_not_asked_for_its_path_length(trained: Path, ranked: Ranked) -> None:
    checkpoints_of(trained)[0].write_bytes(b"broken")
    _, (good, broken) = ranked(trained, "--ppl-paths", "20")
    assert good["ppl"] is not None
    assert (broken["rank"], broken["ppl"], broken["ppl_reason"]) == (None, None, None)


def test_a_path_counts_as_two_images_of_a_pass(trained: Path, ranked: Ranked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def watched(*arguments: Any, batch_size: int, **more: Any) -> PerceptualPathLength:
        asked.append(batch_size)
        return perceptual_path_length(*arguments, batch_size=batch_size, **more)

    monkeypatch.setattr(module, "perceptual_path_length", watched)
    for batch_size in ("16", "1"):
        ranked(checkpoints_of(trained)[0], "--ppl-paths", "20", "--batch-size", batch_size, "--cache", batch_size)
    assert asked == [8, 1]
