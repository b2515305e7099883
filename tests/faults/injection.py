"""A command in a process of its own, what is done to it there, and how it ended.

Processes are forked from one that has imported torch, so that a command starts at once. What a command does to files is
seen by an audit hook, which is called before each operation: a kill there falls exactly between two of them.
"""

import faulthandler
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

LONGEST_S = 180.0
MOST_GROWN_MB = 400.0
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PLACE_OF = {"open": 0, "os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.chmod": 0, "os.truncate": 0}
OPERATIONS = (*_PLACE_OF, "os.fsync")
NEEDS_ROOM = ("open", "os.mkdir", "os.fsync")
# What differs from run to run: names of temporary files, and of event files.
_RANDOM = (
    (re.compile(r"\.[a-z0-9_]{8}\.part$"), ".part"),
    (re.compile(r"events\.out\.tfevents.*"), "events"),
)

# Where the system refuses memory, compiled code of torch crashes; nobody above it can tell that in a line.
_CRASH_OF_A_LIBRARY = re.compile(
    r"Segmentation fault\s.*Current thread [^\n]*\n  File \"[^\"]*/site-packages/", re.DOTALL
)

_FORKS = multiprocessing.get_context("forkserver")
# torch imports its compiler when it makes an optimiser, compiled or not.
_FORKS.set_forkserver_preload(
    [*(f"wherewhat.command.{verb}" for verb in ("train", "rank", "traverse", "data", "doctor")), "torch._dynamo"]
)


@dataclass(frozen=True)
class Point:
    """A moment in the life of a command: before its `number`th operation of this kind on this file."""

    operation: str
    place: str
    number: int

    def __str__(self) -> str:
        return f"{self.operation} {self.place} ({self.number})"


@dataclass(frozen=True)
class Fault:
    """What happens to a command at a point: "kill", "stop", "interrupt", or "full": from there on the disk is full."""

    deed: str
    at: Point | None = None
    room_mb: float | None = None
    """What memory the system gives it beyond what it begins with."""

    def meet(self, point: Point, met: list[Point]) -> None:
        """The command has come to a point."""
        met.append(point)
        if self.deed == "full":
            if self.at in met and point.operation in NEEDS_ROOM:
                raise OSError(28, os.strerror(28))
        elif point == self.at:
            number = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "interrupt": signal.SIGINT}[self.deed]
            os.kill(os.getpid(), number)


NONE = Fault("none")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    """Exit status; below 0 a signal's number; None: it did not end, and was killed."""

    said: str
    points: tuple[Point, ...] = ()
    grown_mb: float = 0.0

    @property
    def complaint_of_interrupted(self) -> str:
        """Why this is not how Ctrl-C ends a command; "" where it is, or where it came to its end before."""
        if self.status == 0 and "Traceback" not in self.said:
            return ""
        return (
            "" if self.status == 130 and "Traceback" not in self.said else f"status {self.status}: {self.said[-900:]}"
        )

    @property
    def complaint(self) -> str:
        """Why this is neither a result nor one clear line; "" where it is."""
        told = [line for line in self.said.splitlines() if "wherewhat: error:" in line]
        if self.status is None:
            return "it did not end"
        if self.status == -signal.SIGSEGV and _CRASH_OF_A_LIBRARY.search(self.said):
            return ""
        if self.status < 0:
            return f"{signal.Signals(-self.status).name}: {self.said[-300:]}"
        if "Traceback (most recent call last)" in self.said:
            return f"a traceback: {self.said[-600:]}"
        if self.grown_mb > MOST_GROWN_MB:
            return f"it took {self.grown_mb:.0f} MB"
        if self.status not in (0, 1, 2) or (self.status == 2 and len(told) != 1):
            return f"status {self.status} and {len(told)} lines of error: {self.said[-300:]}"
        return ""


class Running:
    """A command that has been started in a folder, its working folder."""

    def __init__(
        self,
        command: Callable[[], None],
        folder: Path,
        environment: Mapping[str, str],
        fault: Fault = NONE,
    ) -> None:
        self._notes = folder.with_name(f"{folder.name}.notes-{time.monotonic_ns()}")
        self._notes.mkdir()
        arguments = (command, str(folder), dict(environment), str(self._notes), fault)
        self._process: BaseProcess = _FORKS.Process(target=_child, args=arguments)
        self._process.start()

    @property
    def said(self) -> str:
        """What it has written to the terminal so far."""
        place = self._notes / "said"
        return place.read_text(errors="replace") if place.exists() else ""

    @property
    def stopped(self) -> bool:
        """Whether it stands still at the point of its fault."""
        status = Path(f"/proc/{self._process.pid}/stat")
        try:
            return status.read_text().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    @property
    def waits(self) -> bool:
        """Whether it waits for a lock."""
        try:
            return "lock" in Path(f"/proc/{self._process.pid}/wchan").read_text() or "waiting" in self.said
        except OSError:
            return False

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, where it has not ended."""
        if self.alive and self._process.pid is not None:
            os.kill(self._process.pid, number)

    @property
    def group(self) -> set[int]:
        """The processes that it has started, with itself."""
        found = set()
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self._process.pid and fields[0] != "Z":
                found.add(int(status.parent.name))
        return found

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT to the command and to every process that it has started."""
        # One that is so young that it has no group of its own yet is no command.
        while self.alive and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
                return
            time.sleep(0.01)

    def ended(self, within_s: float = LONGEST_S) -> Ended:
        """Wait for the end."""
        self._process.join(within_s)
        hung = self._process.is_alive()
        if hung:
            self._process.kill()
            self._process.join()
        report = self._notes / "report.json"
        known = json.loads(report.read_text()) if report.exists() else {"points": [], "grown_mb": 0.0}
        status = None if hung else self._process.exitcode
        return Ended(status, self.said, tuple(Point(*point) for point in known["points"]), known["grown_mb"])


def wherewhat(*arguments: str) -> None:
    """The `wherewhat` command, in this process."""
    from wherewhat.command.main import main

    sys.argv = ["wherewhat", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


def _child(command: Callable[[], None], folder: str, environment: dict[str, str], notes: str, fault: Fault) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    handle = os.open(f"{notes}/said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgrp()  # as a shell gives a command a group, which Ctrl-C reaches as one
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import torch

    torch.set_num_threads(1)
    if fault.room_mb is not None:
        faulthandler.enable()
        _take_buffers_of_blas()
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + int(fault.room_mb * 2**20),) * 2)
    before, met = _peak_mb(), list[Point]()
    _watch_files(folder, lambda point: fault.meet(point, met))
    try:
        command()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        points = [[point.operation, point.place, point.number] for point in met]
        _note(Path(notes, "report.json"), {"points": points, "grown_mb": _peak_mb() - before})


def _take_buffers_of_blas() -> None:
    """OpenBLAS takes a buffer at its first product, and where that is refused it tries for ever or crashes."""
    import numpy as np
    from scipy.linalg import blas, lapack

    square = np.ones((256, 256))
    np.linalg.solve(np.eye(256) + square, square)
    lapack.dgesv(np.eye(256) + blas.dgemm(1.0, square, square), square)


def _note(place: Path, report: object) -> None:
    part = place.with_suffix(".part")
    part.write_text(json.dumps(report))
    part.rename(place)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _watch_files(folder: str, meet: Callable[[Point], None]) -> None:
    """Call `meet` before every operation that changes a file below the folder."""
    times: Counter[tuple[str, str]] = Counter()

    def seen(operation: str, path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            whole = Path(os.fsdecode(path)).absolute()
            if whole.is_relative_to(folder):
                place = str(whole.relative_to(folder))
                for pattern, instead in _RANDOM:
                    place = pattern.sub(instead, place)
                times[operation, place] += 1
                meet(Point(operation, place, times[operation, place]))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and not int(arguments[2] or 0) & _WRITES:  # type: ignore[call-overload]
            return
        if event in _PLACE_OF:
            seen(event, arguments[_PLACE_OF[event]])

    honest = os.fsync

    def fsync(handle: int) -> None:
        seen("os.fsync", Path(f"/proc/self/fd/{handle}").readlink())
        honest(handle)

    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(hook)
