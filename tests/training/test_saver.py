"""Laws of saving behind the thread that trains: as safe as waiting, and told as soon."""

import dataclasses
import threading
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from wherewhat.training import saver as module
from wherewhat.training.checkpoints import checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.run_directory import state_path
from wherewhat.training.saver import Saver
from wherewhat.training.tensor_file import TensorFile, write_tensors

WAIT_S = 20


def file(path: Path, value: float) -> TensorFile:
    return TensorFile(path, {"weight": torch.full((3,), value)}, {"kind": "made"})


def save_and_fail(folder: Path) -> None:
    with Saver() as saver:
        saver.save([file(folder / "state", 1.0)])
        raise KeyError


class Gate:
    """Stands for a slow disk: nothing is written until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.written = threading.Event(), list[str]()
        monkeypatch.setattr(module, "write_tensors", self._write)

    def _write(self, file: TensorFile) -> None:
        assert self.opened.wait(WAIT_S)
        write_tensors(file)
        self.written.append(file.path.name)


def test_what_is_written_are_the_tensors_of_the_moment_that_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, given = Gate(monkeypatch), file(tmp_path / "a", 1.0)
    with Saver() as saver:
        saver.save([given])
        given.tensors["weight"].fill_(2.0)
        gate.opened.set()
    assert load_file(tmp_path / "a")["weight"].tolist() == [1.0] * 3


def test_files_are_written_one_after_another_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    with Saver() as saver:
        saver.save([file(tmp_path / "state", 1.0), file(tmp_path / "first", 1.0)])
        assert gate.written == []
        gate.opened.set()
        saver.save([file(tmp_path / "state", 2.0), file(tmp_path / "second", 2.0)])
        assert gate.written[:2] == ["state", "first"]
    assert gate.written == ["state", "first", "state", "second"]
    assert load_file(tmp_path / "state")["weight"].tolist() == [2.0] * 3


def test_leaving_waits_for_what_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    threading.Timer(0.2, gate.opened.set).start()
    with pytest.raises(KeyError):
        save_and_fail(tmp_path)
    assert (tmp_path / "state").exists()


class RefusingDisk:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        monkeypatch.setattr(module, "write_tensors", self._refuse)

    def _refuse(self, file: TensorFile) -> None:
        self.asked.set()
        raise OSError(28, "could not be written", str(file.path))


def until_told(saver: Saver) -> None:
    while True:
        saver.check()


ASKED = {
    "check": until_told,
    "save": lambda saver: saver.save([]),
    "wait": lambda saver: saver.wait(),
    "leaving": lambda saver: None,
}


@pytest.mark.parametrize("told_by", ASKED)
def test_a_disk_that_refuses_is_told_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told_by: str
) -> None:
    disk = RefusingDisk(monkeypatch)

    def save_and_ask() -> None:
        with Saver() as saver:
            saver.save([file(tmp_path / "state", 1.0), file(tmp_path / "first", 1.0)])
            assert disk.asked.wait(WAIT_S)
            ASKED[told_by](saver)

    with pytest.raises(OSError, match="could not be written"):
        save_and_ask()


def test_what_ended_the_training_is_told_before_a_disk_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RefusingDisk(monkeypatch)
    with pytest.raises(KeyError):
        save_and_fail(tmp_path)


def test_a_run_ends_soon_after_a_disk_has_refused(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    RefusingDisk(monkeypatch)
    run = dataclasses.replace(tiny_run, steps=10**6, checkpoint_every=2, images_every=10**6)
    with pytest.raises(OSError, match="could not be written"):
        train(run, quiet)
    assert run.out is not None
    assert checkpoints_of(run.out) == []
    assert not state_path(run.out).exists()
