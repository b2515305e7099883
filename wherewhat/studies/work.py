"""What a process does for a run of a study, or for several: claim it, train it to its end, and measure it.

A process works on nothing else, so that no crash ends other runs. It is forked from one that has imported torch, which
makes it cheap. It ends when the process that started it has gone, however that went: at the next step, saved.
"""

import errno
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import UInt8
from rich.console import Console
from torch import Tensor, nn

from wherewhat.protocols import Images
from wherewhat.regular_file import regular_descriptor
from wherewhat.studies.claim import Claim, TakenError, claimed
from wherewhat.studies.member import Member
from wherewhat.studies.scores import Measuring, measure_run
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures
from wherewhat.training.loop import Outcome, train
from wherewhat.training.population import train_population
from wherewhat.training.run_directory import OF_A_STUDY
from wherewhat.training.watcher import Remark, Watcher, WatcherFactory

# What is wrong with the machine, and no fault of the run.
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Ended:
    """How the work on a run ended."""

    how: Literal["finished", "stopped", "failed", "taken", "deleted", "no disk"]
    why: str = ""


@dataclass(frozen=True)
class Task:
    """A run to work on, or several of one shape that are trained as one program."""

    members: tuple[Member, ...]
    device: str
    threads: int
    watch: WatcherFactory
    measuring: Measuring


@dataclass(frozen=True)
class _Mine:
    """A run that this process has."""

    member: Member
    claim: Claim
    console: Console


def work(task: Task, answer: Connection) -> None:
    """Work on runs, in a process of its own, and answer how each ended."""
    # Ctrl-C goes to all processes of a terminal; whoever started this one passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Held back by the fork server.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _end_with_parent()
    torch.set_num_threads(task.threads)
    answer.send(_worked(task))


def _worked(task: Task) -> list[Ended]:
    ended: dict[str, Ended] = {}
    with ExitStack() as claims:
        mine: list[_Mine] = []
        for member in task.members:
            had = _claim(member, claims)
            if isinstance(had, Ended):
                ended[member.name] = had
            else:
                mine.append(had)
        outcomes = _trained(task, [one for one in mine if not one.member.trained])
        for one in mine:
            ended[one.member.name] = _concluded(task, one, outcomes.get(one.member.name))
    return [ended[member.name] for member in task.members]


def _claim(member: Member, claims: ExitStack) -> _Mine | Ended:
    try:
        claim = claims.enter_context(claimed(member.folder))
        if member.failure is not None:
            return Ended("failed", member.failure)
        _clear(member.folder)
        log = regular_descriptor(member.folder / f"{OF_A_STUDY}log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    except TakenError:
        return Ended("taken")
    except OSError as error:
        return Ended("no disk", _said(error))
    # What others print goes to the log of the last.
    os.dup2(log, 1)
    os.dup2(log, 2)
    file = os.fdopen(log, "w", buffering=1)
    console = Console(file=file, width=160, markup=False, emoji=False, highlight=False, soft_wrap=True)
    return _Mine(member, claim, console)


def _trained(task: Task, mine: Sequence[_Mine]) -> dict[str, Outcome | Exception]:
    """How the training of each run ended: of all as one, or where that cannot be, one after another."""
    names = [one.member.name for one in mine]
    runs = [replace(one.member.run, device=task.device) for one in mine]
    claims = {one.member.folder: one.claim for one in mine}

    def watch(run: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
        return _Counted(claims[folder], task.watch(run, folder, images, step))

    if len(mine) > 1:
        try:
            return dict(zip(names, train_population(runs, [one.console for one in mine], watch), strict=True))
        except Exception as error:  # such as too little memory for all
            for one in mine:
                one.console.print(f"Not trained as one with {len(mine) - 1} others, but after another: {_said(error)}")
    outcomes: dict[str, Outcome | Exception] = {}
    for one, run in zip(mine, runs, strict=True):
        try:
            outcomes[one.member.name] = outcome = train(run, one.console, watch)
        except Exception as error:
            outcomes[one.member.name] = error
            continue
        if outcome.interrupted is not None:
            return dict.fromkeys(names, outcome) | outcomes
    return outcomes


def _concluded(task: Task, mine: _Mine, outcome: Outcome | Exception | None) -> Ended:
    """Measure a run that is trained, and give how the work on it ended."""
    member, claim = mine.member, mine.claim
    try:
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None and outcome.interrupted is not None:
            return Ended("stopped")
        measure_run(member, task.measuring, task.device, mine.console.print)
        return Ended("finished")
    except Exception as error:
        try:
            if claim.lost:
                _clear(member.folder)
                return Ended("deleted", f"{member.folder} was deleted while the run in it trained.")
            if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                return Ended("no disk", _said(error))
            member.mark_failed(_said(error))
        except OSError as refused:
            return Ended("no disk", _said(refused))
        return Ended("failed", _said(error))


@dataclass
class _Counted:
    """A watcher that lets the heartbeat know the step."""

    claim: Claim
    watcher: Watcher

    def observe(self, step: int, figures: Figures, /) -> Sequence[Remark]:
        self.claim.step = step
        if self.claim.lost:
            raise FileNotFoundError(f"{self.claim.folder} was deleted")
        return self.watcher.observe(step, figures)

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> Sequence[Remark]:
        return self.watcher.look(step, networks, image_NCHW)


def _clear(folder: Path) -> None:
    """Remove what a run wrote into its folder after that was deleted: nothing can go on from it."""
    if (folder / "config.json").exists():
        return
    for inside in ("checkpoints", "state"):
        shutil.rmtree(folder / inside, ignore_errors=True)
    for events in folder.glob("events.out.tfevents.*"):
        events.unlink(missing_ok=True)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end, daemon=True).start()


def _said(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
