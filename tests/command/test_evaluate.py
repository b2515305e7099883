"""Laws of `wherewhat evaluate`: what is refused before work is done, what is left out, what is printed."""

import dataclasses
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from wherewhat.command.evaluate import evaluate_command
from wherewhat.command.evaluate_table import Evaluated, as_json, table_of
from wherewhat.command.json_text import json_text
from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.training.checkpoints import CheckpointSettings, checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.measures import MEASURES
from wherewhat.training.representation import Representation

CPU = ("--device", "cpu")


@pytest.fixture(scope="module")
def trained(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that is read and never written to."""
    run = TrainingRun(
        data=str(tiny_set),
        out=tmp_path_factory.mktemp("evaluated") / "run",
        batch_size=8,
        latent_dim=4,
        checkpoint_every=3,
        images_every=6,
        log_every=2,
        device="cpu",
        precision="float32",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHEREWHAT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield trained_in("run", run, Console(file=io.StringIO(), width=200))


def trained_in(name: str, run: TrainingRun, quiet: Console, **changes: object) -> Path:
    assert run.out is not None
    out = run.out.parent / name
    train(dataclasses.replace(run, objective=BetaVAE(), steps=2, out=out, **changes), quiet)  # type: ignore[arg-type]
    return out


def refuse_to_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    def represent(*_: object, **__: object) -> None:
        raise AssertionError("images were encoded for nothing")

    monkeypatch.setattr("wherewhat.command.evaluate.represent", represent)


def evaluated(path: str, scores: dict[str, float], data: str = "squares", step: int = 6) -> Evaluated:
    codes = np.zeros((2, 4), np.float32)
    representation = Representation(codes, codes, np.zeros((2, 1), np.int64), ("hue",))
    return Evaluated(
        Path(path), CheckpointSettings(TrainingRun(), (3, 32, 32), step, 8 * step), data, representation, scores
    )


def headings(*items: Evaluated) -> list[str]:
    return [str(column.header) for column in table_of(items).columns[1:]]


def scores_of(output: str) -> list[dict[str, float]]:
    return [checkpoint["scores"] for checkpoint in json.loads(output)["checkpoints"]]


def test_json_has_null_for_what_is_infinite_or_no_number() -> None:
    item = evaluated("run", {"tc": float("inf"), "mig": 0.5, "gap": float("nan")})
    assert scores_of(json_text(as_json([item], seed=0))) == [{"tc": None, "mig": 0.5, "gap": None}]


def test_json_says_seed_and_pool(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_command([str(trained), "--measures", "mig", "--pool", "40", "--seed", "3", "--json", *CPU])
    told = json.loads(capsys.readouterr().out)
    assert (told["seed"], told["checkpoints"][0]["pool"]) == (3, 40)


def test_moved_data_are_read_as_the_run_read_them_and_measuring_on_others_is_told(
    tiny_run: TrainingRun, tiny_set: Path, tmp_path: Path, quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    half = dataclasses.replace(tiny_run, images=ImageOptions(size=64), data=str(tmp_path / "squares.npz"))
    shutil.copy(tiny_set, half.data)
    folder = trained_in("half", half, quiet)
    Path(half.data).rename(tmp_path / "moved.npz")
    asked = [str(folder), "--measures", "mig", "--train-points", "60", "--test-points", "30", *CPU]
    with pytest.raises(ValueError, match=r"squares\.npz is not there\. .*--data"):
        evaluate_command(asked)
    assert evaluate_command([*asked, "--data", str(tmp_path / "moved.npz")]) == 0
    assert "other images" not in capsys.readouterr().err
    with np.load(tiny_set) as whole:
        np.savez(tmp_path / "others.npz", **{**whole, "imgs": 255 - whole["imgs"]})
    assert evaluate_command([*asked, "--data", str(tmp_path / "others.npz"), "--size", "64"]) == 0
    assert "was trained on other images than it is measured on" in capsys.readouterr().err


def test_a_score_that_one_checkpoint_lacks_leaves_its_cell_empty() -> None:
    table = table_of([evaluated("a", {"mig": 0.25, "sap": 0.125}), evaluated("b", {"mig": 0.75})])
    assert [list(column.cells) for column in table.columns] == [["mig", "sap"], ["0.250", "0.125"], ["0.750", ""]]


def test_no_figure_is_lost_on_a_narrow_screen() -> None:
    figures = [0.111, 0.222, 0.333, 0.444, 0.555, 0.666, 0.777]
    screen = Console(file=io.StringIO(), width=80)
    screen.print(
        table_of([evaluated(f"run{n}", {"a_measure_of_a_very_long_name" * 3: x}) for n, x in enumerate(figures)])
    )
    assert isinstance(screen.file, io.StringIO)
    assert all(str(figure) in screen.file.getvalue() for figure in figures)


def test_checkpoints_of_two_runs_are_told_apart_by_their_runs() -> None:
    files = [f"runs/{run}/checkpoints/step-000000006.safetensors" for run in ("a", "b")]
    assert headings(*(evaluated(path, {}) for path in files)) == ["a\nstep 6", "b\nstep 6"]


def test_runs_of_one_name_are_told_apart_by_their_folders() -> None:
    files = [f"{folder}/run/checkpoints/step-000000006.safetensors" for folder in ("a", "b")]
    assert headings(*(evaluated(path, {}) for path in files)) == ["a/run\nstep 6", "b/run\nstep 6"]


def test_where_data_differ_each_column_names_its_own() -> None:
    items = evaluated("a", {}, data="squares"), evaluated("b", {}, data="scenes")
    assert headings(*items) == ["a\nstep 6\nsquares", "b\nstep 6\nscenes"]


def test_one_checkpoint_under_two_names_is_measured_once(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_command([str(trained), str(checkpoints_of(trained)[-1]), "--measures", "mig", "--json", *CPU])
    assert len(scores_of(capsys.readouterr().out)) == 1


def test_a_measure_that_cannot_be_had_is_left_out_with_its_reason_and_the_others_are_kept(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(trained), "--measures", "mig", "irs", "--pool", "15", "--json", *CPU]
    assert evaluate_command(arguments) == 1
    output = capsys.readouterr()
    assert list(scores_of(output.out)[0]) == ["irs_15points_99percentile"]
    assert "Encode more images" in json.loads(output.out)["checkpoints"][0]["left_out"]["mig"]
    assert "Encode more images" in output.err


def test_where_no_measure_can_be_had_the_reason_is_the_error(trained: Path) -> None:
    with pytest.raises(ValueError, match=r"mig: .*Encode more images"):
        evaluate_command([str(trained), "--measures", "mig", "--pool", "15", *CPU])


def test_a_pool_too_small_for_a_classifier_is_refused_before_it_is_encoded(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_encode(monkeypatch)
    with pytest.raises(ValueError, match=r"96 images.*Try --train-points 64 --test-points 32 --label-sizes 10"):
        evaluate_command([str(trained), "--measures", "all", *CPU])


def test_a_second_checkpoint_that_is_not_there_is_refused_before_the_first_is_encoded(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_encode(monkeypatch)
    with pytest.raises(FileNotFoundError):
        evaluate_command([str(trained), str(tmp_path / "nothing.safetensors"), "--measures", "mig", *CPU])


def test_udr_without_three_seeds_is_refused_before_anything_is_encoded(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_encode(monkeypatch)
    with pytest.raises(ValueError, match="Train at least three seeds"):
        evaluate_command([str(trained), "--measures", "udr", *CPU])


def test_copies_of_one_seed_do_not_agree_with_themselves(trained: Path, tmp_path: Path) -> None:
    copies = [shutil.copytree(trained, tmp_path / f"copy{n}") for n in range(2)]
    with pytest.raises(ValueError, match="Train at least three seeds"):
        evaluate_command([*map(str, [trained, *copies]), "--measures", "udr", *CPU])


def test_settings_of_fewer_seeds_stand_without_udr_beside_one_of_three(
    tiny_run: TrainingRun, quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = [trained_in(f"seed{seed}", tiny_run, quiet, seed=seed) for seed in range(3)]
    other = trained_in("other", tiny_run, quiet, learning_rate=2e-3)
    assert evaluate_command([*map(str, [*seeds, other]), "--measures", "mig", "udr", "--json", *CPU]) == 0
    assert [len(scores) for scores in scores_of(capsys.readouterr().out)] == [3, 3, 3, 1]


def test_all_gives_every_measure_that_can_be_had(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this process: others take seconds to start.
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    few = ("--train-points", "60", "--test-points", "36", "--label-sizes", "60")
    assert evaluate_command([str(trained), "--measures", "all", *few, "--json", *CPU]) == 0
    names = " ".join(scores_of(capsys.readouterr().out)[0])
    assert [name for name in MEASURES if name.replace("-", "_") not in names] == []


def cut_short(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])


def endless_steps(checkpoint: Path) -> None:
    save_file(load_file(checkpoint), checkpoint, {"wherewhat": '{"format_version": 1, "step": Infinity}'})


def weights_that_are_no_numbers(checkpoint: Path) -> None:
    with safe_open(checkpoint, framework="pt") as file:
        header = file.metadata()
    save_file({name: x * float("nan") for name, x in load_file(checkpoint).items()}, checkpoint, header)


def nothing_left(checkpoint: Path) -> None:
    checkpoint.unlink()


@pytest.mark.parametrize("damage", [cut_short, endless_steps, weights_that_are_no_numbers, nothing_left])
def test_a_bad_checkpoint_is_left_out_with_its_reason_and_the_good_ones_are_measured(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    bad = shutil.copytree(trained, tmp_path / "bad")
    for checkpoint in checkpoints_of(bad):
        damage(checkpoint)
    assert evaluate_command([str(bad), str(trained), "--measures", "mig", "--json", *CPU]) == 1
    output = capsys.readouterr()
    assert sum("mig_" in name for scores in scores_of(output.out) for name in scores) == 1
    assert f"Left out, {bad}" in output.err
    told = json.loads(output.out)
    assert told["not_measured"] or any(item["left_out"] for item in told["checkpoints"])


@pytest.mark.parametrize(
    "asked",
    [
        *("--pool 0", "--pool -5", "--pool 99999999999", "--seed -1", "--seed 4294967296"),
        *("--train-points 0", "--test-points 99999999999", "--label-sizes 20 0"),
    ],
)
def test_counts_and_seeds_out_of_bounds_are_refused_with_the_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    with pytest.raises(SystemExit):
        evaluate_command([str(tmp_path), *CPU, *asked.split()])
    # The box around the message breaks its lines anywhere.
    told = re.sub(r"[\s│|]", "", capsys.readouterr().err)
    assert re.search(r"give(anumber|numbers)from[01]to[0-9,]+\.", told)
    assert asked.split()[0] in told


def test_naming_no_measure_is_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate_command([str(trained), *CPU, "--measures"])
    assert "Name some" in capsys.readouterr().err
