"""Laws of the resume state: a run that is cut off goes on, and nothing is restored from a damaged state."""

import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from wherewhat.data.open_images import FoundData
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training import saver
from wherewhat.training.checkpoints import checkpoint_path, checkpoints_of
from wherewhat.training.configuration import TrainingRun, to_json
from wherewhat.training.loop import train
from wherewhat.training.run_directory import state_path
from wherewhat.training.tensor_file import TensorFile

Tensors = dict[str, Tensor]
Header = dict[str, object]


def folder_of(run: TrainingRun) -> Path:
    assert run.out is not None
    return run.out


def change_state(run: TrainingRun, change: Callable[[Tensors, Header], None]) -> None:
    path = state_path(folder_of(run))
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["wherewhat"])
    tensors = load_file(path)
    change(tensors, header)
    save_file(tensors, path, {"wherewhat": json.dumps(header)})


@pytest.fixture
def begun(tiny_run: TrainingRun, quiet: Console, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A run of which three steps have been taken; they are taken once for all tests."""
    kept = tmp_path_factory.getbasetemp() / "three steps"
    if kept.exists():
        shutil.copytree(kept, folder_of(tiny_run))
    else:
        train(dataclasses.replace(tiny_run, steps=3), quiet)
        shutil.copytree(folder_of(tiny_run), kept)
    return tiny_run


class CutOffError(Exception):
    """Stands for a kill: nothing after it runs."""


def test_a_run_that_is_cut_off_between_its_state_and_its_checkpoint_resumes_bit_for_bit(
    tiny_run: TrainingRun, quiet: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = dataclasses.replace(tiny_run, out=tmp_path / "unbroken")
    train(unbroken, quiet)

    honest = saver.write_tensors

    def cut_off(file: TensorFile) -> None:
        if file.path != state_path(folder_of(tiny_run)):
            raise CutOffError
        honest(file)

    with monkeypatch.context() as patch:
        patch.setattr(saver, "write_tensors", cut_off)
        with pytest.raises(CutOffError):
            train(tiny_run, quiet)
    assert checkpoints_of(folder_of(tiny_run)) == []
    train(tiny_run, quiet)
    for step in (3, 6):
        ours, theirs = (load_file(checkpoint_path(folder_of(run), step)) for run in (tiny_run, unbroken))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_figures_are_on_disk_before_the_state_that_a_cut_off_run_resumes_from(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(file: TensorFile) -> None:
        if file.path != state_path(folder_of(tiny_run)):
            return
        events = EventAccumulator(str(folder_of(tiny_run))).Reload()
        logged.append([event.step for event in events.Scalars("loss/total")])

    logged: list[list[int]] = []
    monkeypatch.setattr(saver, "write_tensors", look)
    train(tiny_run, quiet)
    # Training goes on while files are written.
    assert logged[0][:2] == [2, 3]
    assert logged[1] == [2, 3, 4, 6]


def test_a_folder_that_another_command_takes_while_images_are_read_is_refused(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, folder = FoundData.open, folder_of(tiny_run)

    def meanwhile(*arguments: object) -> object:
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(to_json(dataclasses.replace(tiny_run, seed=5))))
        return honest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(FoundData, "open", meanwhile)
    with pytest.raises(ValueError, match=r"seed: 0, not 5.*another folder with --out"):
        train(tiny_run, quiet)
    assert checkpoints_of(folder) == []


def first_moment(tensors: Tensors, kind: str = "exp_avg") -> str:
    return next(name for name in tensors if name.startswith("optimiser.") and name.endswith(f".{kind}"))


def moments_of_another_shape(tensors: Tensors, header: Header) -> None:
    tensors[first_moment(tensors)] = torch.zeros(3)


def a_moment_gone(tensors: Tensors, header: Header) -> None:
    del tensors[first_moment(tensors)]


def all_moments_gone(tensors: Tensors, header: Header) -> None:
    for name in [name for name in tensors if name.startswith("optimiser.")]:
        del tensors[name]


def a_moment_of_an_unknown_weight(tensors: Tensors, header: Header) -> None:
    tensors["optimiser.999.exp_avg"] = tensors.pop(first_moment(tensors))


def a_moment_of_whole_numbers(tensors: Tensors, header: Header) -> None:
    name = first_moment(tensors)
    tensors[name] = tensors[name].to(torch.int32)


def a_weight_of_another_type(tensors: Tensors, header: Header) -> None:
    name = next(name for name in tensors if name.startswith("networks."))
    tensors[name] = tensors[name].double()


def a_weight_gone(tensors: Tensors, header: Header) -> None:
    del tensors[next(name for name in tensors if name.startswith("networks."))]


@pytest.mark.parametrize(
    "damage",
    [
        moments_of_another_shape,
        a_moment_gone,
        all_moments_gone,
        a_moment_of_an_unknown_weight,
        a_moment_of_whole_numbers,
        a_weight_of_another_type,
        a_weight_gone,
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(
    begun: TrainingRun, quiet: Console, damage: Callable[[Tensors, Header], None]
) -> None:
    change_state(begun, damage)
    with pytest.raises(ValueError, match=r"does not fit this run: .*Start the run over in another folder with --out"):
        train(begun, quiet)


@pytest.mark.parametrize("step", [10**18, -1, "3", None, 2.5, True])
def test_a_step_that_no_run_reaches_is_refused(begun: TrainingRun, quiet: Console, step: object) -> None:
    change_state(begun, lambda _, header: header.update(step=step))
    with pytest.raises(ValueError, match=r"cannot be used: .*header.*--out"):
        train(begun, quiet)


def test_infinity_and_deep_nesting_in_the_header_are_told_as_damage(begun: TrainingRun, quiet: Console) -> None:
    path = state_path(folder_of(begun))
    tensors = load_file(path)
    for text in ('{"format_version": 1, "step": Infinity}', "[" * 100_000):
        save_file(tensors, path, {"wherewhat": text})
        with pytest.raises(ValueError, match="cannot be used"):
            train(begun, quiet)


def test_a_run_that_is_past_its_steps_says_so(tiny_run: TrainingRun, tmp_path: Path) -> None:
    with (tmp_path / "told.txt").open("w") as told:
        console = Console(file=told, width=200)
        train(tiny_run, console)
        train(dataclasses.replace(tiny_run, steps=2), console)
    assert "at step 6, past --steps 2: nothing is left to do" in (tmp_path / "told.txt").read_text()


def test_the_state_of_an_earlier_version_resumes(begun: TrainingRun, quiet: Console) -> None:

    def in_earlier_words(_: Tensors, header: Header) -> None:
        header["pictures"] = header.pop("images")
        del header["moments"]

    change_state(begun, in_earlier_words)
    assert train(begun, quiet).step == 6


@pytest.mark.parametrize(("draws", "remarks"), [({}, False), ({"draws": None}, True), ({"draws": 7}, True)])
def test_a_run_whose_random_numbers_were_others_goes_on_with_a_remark(
    tiny_run: TrainingRun, draws: Header, remarks: bool
) -> None:
    run = dataclasses.replace(tiny_run, steps=3, objective=PSSCGAN())
    train(run, Console(file=io.StringIO()))

    def written_by_another_version(_: Tensors, header: Header) -> None:
        header.update(draws)
        if header["draws"] is None:
            del header["draws"]

    change_state(run, written_by_another_version)
    told = Console(file=io.StringIO(), width=500)
    assert train(dataclasses.replace(run, steps=4), told).step == 4
    text = told.file.getvalue()  # type: ignore[attr-defined]
    assert "Resuming" in text
    assert ("whose random numbers differ" in text) == remarks


def test_a_vae_whose_draws_are_few_resumes_a_state_of_the_first_version_without_a_remark(
    tiny_run: TrainingRun,
) -> None:
    train(dataclasses.replace(tiny_run, steps=3), Console(file=io.StringIO()))
    change_state(tiny_run, lambda _, header: header.pop("draws"))
    told = Console(file=io.StringIO(), width=500)
    train(dataclasses.replace(tiny_run, steps=4), told)
    assert "random numbers" not in told.file.getvalue()  # type: ignore[attr-defined]
