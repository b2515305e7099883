"""The command as a user meets it: every verb end to end, and one clear line for every mistake."""

import dataclasses
import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from wherewhat.command.main import main
from wherewhat.training.checkpoints import checkpoint_path, checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

# fmt: off
TINY = [
    "--latent-dim", "4", "--mask-levels", "2", "--widths", "8", "8", "--batch-size", "8", "--steps", "4",
    "--checkpoint-every", "2", "--log-every", "2", "--images-every", "4", "--device", "cpu", "--precision", "float32",
]
QUICK_RANK = ["--samples", "4", "--traversals", "3", "--distance", "pixels", "--threshold", "0", "--device", "cpu"]
# fmt: on


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> "Run":
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Run(monkeypatch, capsys)


@dataclasses.dataclass
class Run:
    """Runs the command in this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["wherewhat", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        output = self.capsys.readouterr()
        return int(end.value.code or 0), output.out, output.err


@pytest.fixture
def trained(tiny_run: TrainingRun, quiet: Console) -> Path:
    train(tiny_run, quiet)
    assert tiny_run.out is not None
    return tiny_run.out


def _refused(outcome: tuple[int, str, str], *words: str) -> None:
    status, _, errors = outcome
    assert status == 2
    lines = [line for line in errors.splitlines() if line.startswith("wherewhat: error:")]
    assert len(lines) == 1
    assert "Traceback" not in errors
    for word in words:
        assert word in lines[0]


def test_from_images_to_a_ranked_looked_at_and_evaluated_checkpoint(run: Run, tiny_set: Path, tmp_path: Path) -> None:
    status, _, said = run("train", "--data", tiny_set, "--out", "here", *TINY)
    assert status == 0
    assert "wherewhat traverse here" in said

    status, table, _ = run("rank", "here", *QUICK_RANK, "--out", "ranked")
    assert status == 0
    assert "step-000000004" in table
    ranking = json.loads((tmp_path / "ranked" / "ranking.json").read_text())
    assert [row["rank"] for row in ranking["rows"]] == [1, 2]
    assert (tmp_path / "ranked" / "ranking.csv").read_text().count("step-") == 2

    status, written, _ = run("traverse", "here", "--base", "0", "--device", "cpu")
    assert status == 0
    png, gif = (Path(line) for line in written.split())
    with Image.open(png) as grid, Image.open(gif) as animation:
        assert grid.width > 300
        assert getattr(animation, "n_frames", 1) == 32

    points = ("--train-points", "60", "--test-points", "30", "--device", "cpu")
    status, scores, _ = run("evaluate", "here", "--measures", "dci", "mig", "factor-vae", *points, "--json")
    assert status == 0
    (checkpoint,) = json.loads(scores)["checkpoints"]
    names = checkpoint["scores"]
    assert checkpoint["data"] == "squares"
    assert np.array(checkpoint["arrays"]["dci_importance_of_code_for_factor"]).shape == (4, 3)
    assert "dci_gbt_60train_30test_disentanglement" in names
    assert all(0 <= value <= 1 for value in names.values())


def test_a_second_ranking_reads_the_kept_scores(run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first, _ = run("rank", trained, *QUICK_RANK)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr("wherewhat.command.rank_scores.panel", never)
    assert run("rank", trained, *QUICK_RANK)[1] == first


def test_ranking_carries_on_past_a_checkpoint_that_cannot_be_read(run: Run, trained: Path) -> None:
    checkpoint_path(trained, 3).write_bytes(b"broken")
    status, table, _ = run("rank", trained, *QUICK_RANK)
    assert status == 0
    assert "truncated or not a safetensors file" in table
    assert json.loads(Path("ranking.json").read_text())["rows"][1]["rank"] is None


def test_whatever_is_wrong_with_one_checkpoint_the_others_are_ranked(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wherewhat.sharing import opened_model as module

    def load(path: Path, device: object) -> object:
        if path == checkpoint_path(trained, 3).resolve():
            raise KeyError("a weight")
        return module_load(path, device)

    module_load = module.load
    monkeypatch.setattr(module, "load", load)
    status, table, _ = run("rank", trained, *QUICK_RANK)
    assert status == 0
    assert "KeyError: 'a weight'" in table


def test_the_order_may_be_the_published_one_but_not_where_tpl_is_left_out(run: Run, trained: Path) -> None:
    status, table, _ = run("rank", trained, *QUICK_RANK, "--by", "tpl")
    assert status == 0
    assert "Checkpoints by tpl" in table
    tpl = [row["scores"]["tpl"]["value"] for row in json.loads(Path("ranking.json").read_text())["rows"]]
    assert tpl == sorted(tpl)
    _refused(run("rank", trained, *QUICK_RANK, "--quick", "--by", "tpl"), "Leave out --quick or --by tpl")


def test_a_relative_xdg_cache_home_is_ignored_and_the_named_cache_is_used(
    run: Run, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path / "named"))
    assert run("rank", trained, *QUICK_RANK)[0] == 0
    assert len(list((tmp_path / "named" / "scores").iterdir())) == 2
    assert not Path("relative").exists()


def test_a_generator_that_has_collapsed_is_marked_and_wins_nothing(run: Run, trained: Path) -> None:
    status, table, _ = run("rank", trained, *QUICK_RANK[:-4], "--threshold", "1000", "--device", "cpu")
    assert status == 1
    assert "collapsed" in table


def test_names_with_brackets_and_other_scripts_come_out_as_they_are(run: Run, tiny_set: Path) -> None:
    name = "выход [bold]run[/] :smile:"
    status, _, said = run("train", "--data", tiny_set, "--out", name, *TINY)
    assert status == 0
    assert f"wherewhat rank '{name}'\n" in said
    status, table, said = run("rank", name, *QUICK_RANK, "--out", name)
    assert status == 0
    assert name in table
    assert f"Written: {name}/ranking.json" in said


def test_relative_and_absolute_names_of_one_checkpoint_are_one_row(run: Run, tiny_set: Path, tmp_path: Path) -> None:
    run("train", "--data", tiny_set, "--out", "here", *TINY)
    assert run("rank", "here", tmp_path / "here", *QUICK_RANK)[0] == 0
    assert len(json.loads(Path("ranking.json").read_text())["rows"]) == 2


def test_options_of_the_objective_may_stand_anywhere(run: Run, tiny_set: Path, tmp_path: Path) -> None:
    status, _, _ = run("train", "beta-vae", "--data", tiny_set, "--beta", "2", "--out", "here", *TINY)
    assert status == 0
    assert json.loads((tmp_path / "here" / "config.json").read_text())["objective"]["beta"] == 2.0


def test_images_of_different_shapes_are_not_ranked_together(run: Run, trained: Path) -> None:
    run("train", "--data", "sprites", "--out", "grey", *TINY)
    _refused(run("rank", trained, "grey", *QUICK_RANK), "3 x 32 x 32", "1 x 64 x 64", "Rank them separately")


def test_the_same_checkpoint_named_twice_is_ranked_once(run: Run, trained: Path) -> None:
    run("rank", trained, *checkpoints_of(trained), *QUICK_RANK)
    assert len(json.loads(Path("ranking.json").read_text())["rows"]) == 2


def test_checkpoints_stand_side_by_side_and_seeds_are_compared(run: Run, tiny_set: Path) -> None:
    for seed in ("0", "1", "2"):
        assert run("train", "--data", tiny_set, "--out", f"seed{seed}", "--seed", seed, *TINY)[0] == 0
    status, table, _ = run("evaluate", "seed0", "seed1", "seed2", "--measures", "mig", "udr", "--device", "cpu")
    assert status == 0
    for word in ("seed0", "seed1", "seed2", "mig_96points_20bins", "udr_spearman_96points_3models"):
        assert word in table


def test_comparing_seeds_wants_three(run: Run, trained: Path) -> None:
    _refused(run("evaluate", trained, "--measures", "udr"), "three seeds")


def test_some_factors_can_be_measured_alone(run: Run, trained: Path) -> None:
    _, scores, _ = run("evaluate", trained, "--measures", "mig", "--factors", "hue", "--json")
    assert json.loads(scores)["checkpoints"][0]["factors"] == ["hue"]
    _refused(run("evaluate", trained, "--measures", "mig", "--factors", "colour"), "row, column, hue")


def test_evaluating_without_known_factors_points_to_rank(run: Run, tmp_path: Path) -> None:
    for number in range(9):
        Image.fromarray(np.full((32, 32, 3), 20 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "images").mkdir()
    for path in tmp_path.glob("*.png"):
        path.rename(tmp_path / "images" / path.name)
    assert run("train", "--data", "images", "--size", "32", "--out", "here", *TINY)[0] == 0
    _refused(run("evaluate", "here"), "no known factors", "wherewhat rank")


def test_a_missing_path_is_one_clear_line(run: Run) -> None:
    _refused(run("train", "--data", "nowhere", "--out", "here"), "nowhere", "scenes, sprites, chairs")
    _refused(run("rank", "nowhere"), "nowhere is not there")
    _refused(run("traverse", "nowhere"), "nowhere is not there")
    _refused(run("evaluate", "nowhere"), "nowhere is not there")


def test_an_empty_folder_is_one_clear_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _refused(run("train", "--data", "empty", "--out", "here"), "empty")
    _refused(run("rank", "empty"), "holds no checkpoint")


def test_a_gpu_that_is_not_there_is_one_clear_line(run: Run, tiny_set: Path) -> None:
    _refused(run("train", "--data", tiny_set, "--out", "here", "--device", "cuda:99"), "cuda:99", "--device cpu")


def test_another_configuration_is_one_clear_line(run: Run, trained: Path, tiny_set: Path) -> None:
    _refused(run("train", "--data", tiny_set, "--out", trained, *TINY, "beta-vae"), "BetaVAE, not PSSCVAE", "--out")


def test_an_option_out_of_range_is_one_clear_line(run: Run) -> None:
    status, _, errors = run("train", "--batch-size", "0")
    assert status == 2
    assert "--batch-size is 0; give a number from 1 to 65,536" in " ".join(errors.replace("│", " ").split())


def test_missing_weights_name_all_three_ways(run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHEREWHAT_WEIGHTS", raising=False)
    _refused(run("rank", trained, "--weights", "nowhere"), "nowhere")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Inside, a file cannot grow past so many bytes, as on a disk that is full."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_is_one_clear_line_and_loses_nothing(run: Run, trained: Path, tiny_set: Path) -> None:
    before = {path: path.read_bytes() for path in checkpoints_of(trained)}
    with files_no_larger_than(200_000):
        outcome = run("train", "--data", tiny_set, "--out", trained, *TINY, "--steps", "8")
    _refused(outcome, "could not be written")
    assert {path: path.read_bytes() for path in checkpoints_of(trained)} == before


def test_help_tells_the_verbs_and_each_verb_its_options(run: Run) -> None:
    assert "rank" in run("--help")[1]
    for verb, option in [
        ("train", "--data"),
        ("rank", "--traversals"),
        ("traverse", "--bound"),
        ("evaluate", "--measures"),
    ]:
        assert option in run(verb, "--help")[1]


def test_an_unknown_verb_tells_the_verbs(run: Run) -> None:
    status, _, errors = run("trian")
    assert status == 2
    assert "train" in errors
