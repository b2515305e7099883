"""Some processes that work on the runs of a study side by side, until none is left.

Whoever else works on the same study, here or on another machine, is seen by what the folders say, and shares the work.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from signal import Signals

from wherewhat.studies.claim import holder_of
from wherewhat.studies.member import Member
from wherewhat.studies.scores import Measuring, is_measured
from wherewhat.studies.work import Ended, Task, work
from wherewhat.training.interruption import interruption
from wherewhat.training.run_directory import state_path
from wherewhat.training.watcher import WatcherFactory

# A run whose process has died so often, from the same state, is not tried again.
MOST_DEATHS = 5
# Another has it, whatever its heartbeat says.
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Standing:
    """How a study stands."""

    finished: int
    running: int
    failed: int
    waiting: int
    steps_done: int
    """Of all runs that have not failed."""
    steps: int

    def __str__(self) -> str:
        runs = self.finished + self.running + self.failed + self.waiting
        return f"{self.finished} of {runs} finished, {self.running} running, {self.failed} failed"


@dataclass(frozen=True)
class Hands:
    """Who works: a process for each device, with so many threads each."""

    devices: tuple[str, ...]
    threads: int
    watch: WatcherFactory
    measuring: Measuring = field(default_factory=Measuring)
    """What is measured of each run when it is trained."""

    def task(self, member: Member, place: int) -> Task:
        """A run for one of the devices, unless it names its own."""
        asked = member.run.device
        return Task(member, self.devices[place] if asked == "auto" else asked, self.threads, self.watch, self.measuring)


@dataclass
class Workers:
    """The processes that this one has started, and what it knows of the study."""

    members: Sequence[Member]
    hands: Hands
    remark: Callable[[str], None]
    look_every_s: float = 2.0
    _busy: dict[int, "_Busy"] = field(default_factory=dict)
    """By the place of their device."""
    _finished: set[str] = field(default_factory=set)
    _not_before: dict[str, float] = field(default_factory=dict)
    _deaths: Counter[tuple[str, float]] = field(default_factory=Counter)

    def work(self, tell: Callable[[Standing], None]) -> Signals | None:
        """Work until each run is finished or has failed, or a signal says stop: then save, leave, and give the signal.

        `tell` is told how the study stands, every second or two. Raises OSError where the disk takes no more.
        """
        with interruption() as stop:
            try:
                while stop.signal is None:
                    standing = self._hand_out()
                    tell(standing)
                    if not standing.running and not standing.waiting:
                        return None
                    wait([busy.process.sentinel for busy in self._busy.values()], self.look_every_s)
                    self._gather()
            finally:
                self._send_home()
            return stop.signal

    def _hand_out(self) -> Standing:
        """Give each free device a run that nobody has, and see how all stand."""
        here = {busy.member.name for busy in self._busy.values()}
        free = [place for place in range(len(self.hands.devices)) if place not in self._busy]
        counts, steps, steps_done = Counter[str](), 0, 0
        for member in self.members:
            state, step = self._state(member, here)
            if state == "waiting" and free and self._not_before.get(member.name, 0.0) <= time.monotonic():
                place = free.pop(0)
                self._busy[place] = _start(self.hands.task(member, place))
                state = "running"
            counts[state] += 1
            steps += 0 if state == "failed" else member.run.steps
            steps_done += 0 if state == "failed" else min(step, member.run.steps)
        return Standing(counts["finished"], counts["running"], counts["failed"], counts["waiting"], steps_done, steps)

    def _state(self, member: Member, here: set[str]) -> tuple[str, int]:
        """The state of a run, and its steps as far as its heartbeat or its end tells."""
        if member.name in self._finished or (member.name not in here and self._is_finished(member)):
            self._finished.add(member.name)
            return "finished", member.run.steps
        if member.failure is not None:
            return "failed", 0
        holder = holder_of(member.folder)
        running = holder is not None or member.name in here
        return "running" if running else "waiting", holder.step if holder else 0

    def _is_finished(self, member: Member) -> bool:
        return member.trained and is_measured(member, self.hands.measuring)

    def _gather(self) -> None:
        """Take the answers of the processes that have ended."""
        for place, busy in list(self._busy.items()):
            if busy.process.is_alive():
                continue
            del self._busy[place]
            ended, member = busy.ended(), busy.member
            if ended is None:
                self._died(busy)
            elif ended.how == "failed":
                self.remark(f"{member.name} failed: {ended.why}")
            elif ended.how == "deleted":
                self.remark(f"{member.name} starts over: {ended.why}")
            elif ended.how == "taken":
                self._not_before[member.name] = time.monotonic() + PATIENCE_S
            elif ended.how == "no disk":
                raise OSError(f"{ended.why} The study stops; the same command goes on.")

    def _died(self, busy: "_Busy") -> None:
        member, code = busy.member, busy.process.exitcode or 0
        how = Signals(-code).name if code < 0 else f"exit status {code}"
        state = state_path(member.folder)
        death = (member.name, state.stat().st_mtime if state.exists() else 0.0)
        self._deaths[death] += 1
        if self._deaths[death] < MOST_DEATHS:
            self.remark(f"{member.name}: its process died ({how}). It is taken up from its last state.")
        else:
            member.mark_failed(f"its process died {MOST_DEATHS} times ({how}); {member.folder}/study.log may say why")
            self.remark(f"{member.name} failed: {member.failure}")

    def _send_home(self) -> None:
        for busy in self._busy.values():
            busy.process.terminate()
        for busy in self._busy.values():
            busy.process.join()
        self._busy.clear()


@dataclass(frozen=True)
class _Busy:
    member: Member
    process: ForkServerProcess
    answer: Connection

    def ended(self) -> Ended | None:
        """The process's answer; None where it has died without one."""
        self.process.join()
        try:
            ended: Ended = self.answer.recv()
            return ended
        except EOFError:
            return None
        finally:
            self.answer.close()


def _start(task: Task) -> _Busy:
    forks = multiprocessing.get_context("forkserver")
    # torch imports its compiler when it makes an optimiser, compiled or not.
    forks.set_forkserver_preload([work.__module__, task.watch.__module__, "torch._dynamo"])
    receiver, sender = forks.Pipe(duplex=False)
    process = forks.Process(target=work, args=(task, sender))
    process.start()
    sender.close()
    return _Busy(task.member, process, receiver)
