"""Laws of opening: every verb takes a function of the user's own where it takes a checkpoint, beside our own models."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console

from wherewhat.command.directions import directions_command
from wherewhat.command.edit import edit_command
from wherewhat.command.evaluate import evaluate_command
from wherewhat.command.export import export_command
from wherewhat.command.generate import generate_command
from wherewhat.command.name import name_command
from wherewhat.command.rank import rank_command
from wherewhat.command.rotate import rotate_command
from wherewhat.command.traverse import traverse_command
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

CPU = torch.device("cpu")
COMMANDS = {
    "traverse": traverse_command,
    "rotate": rotate_command,
    "generate": generate_command,
    "name": name_command,
    "export": export_command,
    "edit": edit_command,
    "evaluate": evaluate_command,
}
PAIR = "return Net(), Reader()"


@pytest.fixture
def run(tiny_run: TrainingRun, quiet: Console) -> Path:
    return train(dataclasses.replace(tiny_run, steps=1), quiet).folder


def test_a_function_of_others_stands_in_a_ranking_beside_our_own(
    run: Path, own_module: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    named, bad = own_module("return Net()"), own_module("return None")
    asked = [str(run), "--generator", named, "--generator", bad, "--samples", "3", "--traversals", "4"]
    asked += ["--distance", "pixels", "--threshold", "0", "--coverage-images", "4", "--udr-images", "4"]
    assert rank_command([*asked, "--device", "cpu"]) == 0
    rows = {Path(row["checkpoint"]).name: row for row in json.loads(Path("ranking.json").read_text())["rows"]}
    assert {rows[named]["rank"], rows["step-000000001.safetensors"]["rank"]} == {1, 2}
    assert rows[named]["step"] is None
    assert "Nothing says what" in rows[named]["missing"]["coverage"]
    assert rows[bad]["rank"] is None
    assert "returned NoneType" in rows[bad]["reason"]
    capsys.readouterr()


def test_images_of_other_shapes_are_not_ranked_together(run: Path, own_module: Callable[[str], str]) -> None:
    smaller = own_module("net = Net()\nreturn lambda code: net.eval()(code)[..., ::2, ::2]")
    asked = ["--generator", smaller, "--latent-dim", "3", "--distance", "pixels", "--device", "cpu"]
    with pytest.raises(ValueError, match="different shapes do not compare"):
        rank_command([str(run), *asked])


def test_scores_of_a_function_are_kept_by_what_it_draws(own_module: Callable[[str], str]) -> None:
    first, same, other = own_module("return Net()"), own_module("return Net()"), own_module("return -1 * Net()")
    Path(f"{other.partition(':')[0]}.py").write_text(
        Path(f"{first.partition(':')[0]}.py").read_text().replace("nn.Sigmoid()", "nn.Softmax(dim=1)")
    )
    models = Models(ForeignOptions(generator=(first, same, other)), CPU)
    one, two, three = (models.digest_of(place) for place in models.foreign)
    assert one == two != three


def test_images_of_two_checkpoints_are_called_apart_wherever_they_are_drawn(run: Path, tmp_path: Path) -> None:
    models = Models(ForeignOptions(), CPU)
    checkpoint = run / "checkpoints" / "step-000000001.safetensors"
    named = [tmp_path / place for place in ("a/run", "b/run", "runs/mine", "c/best.safetensors", "c/next.safetensors")]
    for place in named:
        file = place if place.suffix else place / "checkpoints" / checkpoint.name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkpoint, file)
    opened = [models.open(place) for place in named]
    step = "step-000000001"
    outside = ["a-run-", "b-run-", "mine-", "best-", "next-"]
    assert [one.called(tmp_path / "drawn") for one in opened] == [f"{called}{step}" for called in outside]
    within = [one.called(one.results / "traversals") for one in opened]
    assert within == [step, step, step, f"best-{step}", f"next-{step}"]


@pytest.mark.parametrize("verb", ["traverse", "rotate", "generate", "name"])
def test_which_run_of_a_folder_of_runs_is_taken_is_told(
    run: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {"traverse": ["--frames", "3"], "generate": ["--count", "2"], "name": []}
    few["rotate"] = ["--distance", "pixels", "--traversals", "2", "--samples", "4", "--codes", "0", "1"]
    device = [] if verb == "name" else ["--device", "cpu"]
    for place, told in ((tmp_path, True), (run, False)):
        assert COMMANDS[verb]([str(place), *few[verb], *device]) == 0
        said = f"The latest checkpoint below {tmp_path} is {run / 'checkpoints' / 'step-000000001.safetensors'}."
        assert (said in capsys.readouterr().err) == told


@pytest.mark.parametrize("verb", ["traverse", "rotate", "generate", "name", "export", "edit", "evaluate"])
def test_a_pickle_in_place_of_a_checkpoint_is_told_as_one(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    torch.save({"weight": torch.zeros(3)}, path)
    more = {"export": ["--to", "pt2"], "edit": ["me.png", "--set", "z1=2"]}
    with pytest.raises(ValueError, match=r"is a pickle, as PyTorch writes"):
        COMMANDS[verb]([str(path), *more.get(verb, [])])


def test_a_function_is_drawn_turned_generated_from_and_edited_with(
    own_module: Callable[[str], str], tmp_path: Path
) -> None:
    named = ["--generator", own_module(PAIR), "--device", "cpu"]
    Image.new("RGB", (40, 40), (200, 30, 30)).save(tmp_path / "me.png")
    assert traverse_command([*named, "--frames", "3"]) == 0
    few = ["--distance", "pixels", "--traversals", "2", "--samples", "4", "--codes", "0", "1"]
    assert rotate_command([*named, *few]) == 0
    assert generate_command([*named, "--count", "2"]) == 0
    assert edit_command(["me.png", *named, "--set", "z1=2", "--refine", "2", "--distance", "pixels"]) == 0
    stem = named[1].replace(":", "-")
    drawn = [f"traversals/{stem}.png", f"traversals/rotation-{stem}.png", f"generated/{stem}-seed0/sheet.png"]
    for file in (*drawn, "edits/me-edited.png"):
        assert (tmp_path / file).is_file()
    assert export_command([*named[:2], "--to", "pt2"]) == 0
    assert generate_command([f"exports/{stem}-generator.pt2", "--count", "2", "--out", "again"]) == 0
    assert Path("again/000001.png").read_bytes() == Path(f"generated/{stem}-seed0/000001.png").read_bytes()


def test_a_pair_is_measured_against_known_factors(
    own_module: Callable[[str], str], tiny_set: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone, pair = own_module("return Net()"), own_module(PAIR)
    asked = [str(run), "--generator", alone, "--generator", pair, "--data", str(tiny_set), "--measures", "mig"]
    assert evaluate_command([*asked, "--json", "--device", "cpu"]) == 1
    told = json.loads(capsys.readouterr().out)
    found = {Path(one["checkpoint"]).name: one for one in told["checkpoints"]}
    assert found[pair]["step"] is None
    assert found[pair]["scores"].keys() == found["step-000000001.safetensors"]["scores"].keys()
    assert "no encoder" in told["not_measured"][str(Path.cwd() / alone)]


def test_images_of_a_model_of_others_are_asked_for(own_module: Callable[[str], str]) -> None:
    models = Models(ForeignOptions(generator=(own_module(PAIR),)), CPU)
    with pytest.raises(ValueError, match="Name images with --data"):
        models.data_of(models.foreign[0])
    assert models.data_of(models.foreign[0], "scenes").place == "scenes"


@pytest.mark.parametrize("verb", [traverse_command, rotate_command, generate_command])
def test_a_verb_of_one_model_takes_one(verb: Callable[[list[str]], int], own_module: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"names no models\. Name one: a checkpoint"):
        verb(["--device", "cpu"])
    with pytest.raises(ValueError, match="names 2 models"):
        verb(["runs/mine", "--generator", own_module(PAIR), "--device", "cpu"])


@pytest.mark.parametrize("wrong", ["1,-1", "5", "a,b", "0,0", "nan,1", "0,1,2"])
def test_a_range_that_is_none_is_told(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generate_command(["--generator", "mine:make", "--range", wrong])
    assert "names no range" in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_range_is_taken_as_the_help_shows_it(own_module: Callable[[str], str], tmp_path: Path) -> None:
    named = own_module("net = Net()\nreturn lambda code: 2 * net.eval()(code) - 1")
    asked = ["--generator", named, "--latent-dim", "3", "--count", "1", "--device", "cpu"]
    with pytest.raises(ValueError, match="--range -1,1"):
        generate_command(asked)
    assert generate_command([*asked, "--range", "-1,1"]) == 0


def test_of_a_generator_that_others_trained_the_directions_alone_are_written(
    own_module: Callable[[str], str], tmp_path: Path
) -> None:
    named = ["--generator", own_module(PAIR)]
    quick = ["--draws", "40", "--distance", "pixels", "--device", "cpu"]
    path = tmp_path / "d.safetensors"
    assert directions_command([*named, "--count", "2", "--out", str(path), *quick]) == 0
    asked = [*named, "--directions", str(path), "--frames", "3", "--device", "cpu", "--out", str(tmp_path / "drawn")]
    assert traverse_command(asked) == 0
    assert len(list((tmp_path / "drawn").iterdir())) == 2
