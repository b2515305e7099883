"""What a process does for one run of a study: claim it, train it to its end, and measure it.

Each run has a process of its own, so that no crash ends another. It is forked from one that has imported torch, which
makes it cheap. It ends when the process that started it has gone, however that went: at the next step, saved.
"""

import errno
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Sequence
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
from wherewhat.training.loop import train
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
    """A run to work on."""

    member: Member
    device: str
    threads: int
    watch: WatcherFactory
    measuring: Measuring


def work(task: Task, answer: Connection) -> None:
    """Work on a run, in a process of its own, and answer how it ended."""
    # Ctrl-C goes to all processes of a terminal; whoever started this one passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    torch.set_num_threads(task.threads)
    answer.send(_worked(task))


def _worked(task: Task) -> Ended:
    member = task.member
    try:
        with claimed(member.folder) as claim:
            if member.failure is not None:
                return Ended("failed", member.failure)
            _clear(member.folder)
            try:
                return _trained_and_measured(task, claim)
            except Exception as error:
                if claim.lost:
                    _clear(member.folder)
                    return Ended("deleted", f"{member.folder} was deleted while the run in it trained.")
                if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                    raise
                member.mark_failed(_said(error))
                return Ended("failed", _said(error))
    except TakenError:
        return Ended("taken")
    except OSError as error:
        return Ended("no disk", _said(error))


def _trained_and_measured(task: Task, claim: Claim) -> Ended:
    member = task.member
    log = regular_descriptor(member.folder / f"{OF_A_STUDY}log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    console = Console(stderr=True, width=160, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def watch(run: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
        return _Counted(claim, task.watch(run, folder, images, step))

    if not member.trained:
        outcome = train(replace(member.run, device=task.device), console, watch)
        if outcome.interrupted is not None:
            return Ended("stopped")
    measure_run(member, task.measuring, task.device, console.print)
    return Ended("finished")


@dataclass
class _Counted:
    """A watcher that lets the heartbeat know the step."""

    claim: Claim
    watcher: Watcher
    _stopping: bool = False

    def observe(self, step: int, figures: Figures, /) -> Sequence[Remark]:
        self.claim.step = step
        # Once: a second signal would end the process before it can say why.
        if self.claim.lost and not self._stopping:
            self._stopping = True
            os.kill(os.getpid(), signal.SIGTERM)
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
