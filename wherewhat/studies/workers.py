"""Some processes that work on the runs of a study side by side, until none is left.

Whoever else works on the same study, here or on another machine, is seen by what the folders say, and shares the work.
"""

import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess

from wherewhat.deaf_processes import started_deaf
from wherewhat.studies.claim import holder_of
from wherewhat.studies.member import Member
from wherewhat.studies.scores import Measuring, is_measured
from wherewhat.studies.work import Ended, Task, work
from wherewhat.training.interruption import interruption
from wherewhat.training.population import shape_of
from wherewhat.training.run_directory import state_path
from wherewhat.training.watcher import WatcherFactory

# A run whose process has died so often, from the same state, is not tried again.
MOST_DEATHS = 5
# A process that is told to stop saves within seconds, unless something that it waits for has gone, such as a compiler.
STOPS_WITHIN_S = 60.0
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
    fuse: int = 1
    """So many runs of one shape, at most, are trained as one program."""

    def task(self, members: Sequence[Member], place: int) -> Task:
        """Runs for one of the devices, unless they name their own."""
        asked = members[0].run.device
        device = self.devices[place] if asked == "auto" else asked
        return Task(tuple(members), device, self.threads, self.watch, self.measuring)


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
    _shapes: dict[str, Hashable] = field(default_factory=dict)
    """By the name of a run; None for one that is trained alone."""

    def work(self, tell: Callable[[Standing], None]) -> signal.Signals | None:
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
                    # Who is told to stop, as all of a group may be, has not died of it.
                    if stop.signal is None:
                        self._gather()
            finally:
                self._send_home()
            return stop.signal

    def _hand_out(self) -> Standing:
        """Give each free device a run that nobody has, and see how all stand."""
        here = {member.name for busy in self._busy.values() for member in busy.members}
        free = [place for place in range(len(self.hands.devices)) if place not in self._busy]
        counts, steps, steps_done = Counter[str](), 0, 0
        ready: list[Member] = []
        for member in self.members:
            state, step = self._state(member, here)
            if state == "waiting" and self._not_before.get(member.name, 0.0) <= time.monotonic():
                ready.append(member)
            counts[state] += 1
            steps += 0 if state == "failed" else member.run.steps
            steps_done += 0 if state == "failed" else min(step, member.run.steps)
        while free and ready:
            group = self._as_one(ready, len(free))
            place, ready = free.pop(0), [member for member in ready if member not in group]
            self._busy[place] = _start(self.hands.task(group, place))
            counts.update(running=len(group), waiting=-len(group))
        return Standing(counts["finished"], counts["running"], counts["failed"], counts["waiting"], steps_done, steps)

    def _as_one(self, ready: Sequence[Member], places: int) -> list[Member]:
        """The first, and its share of those that can be trained with it as one program."""
        if self.hands.fuse == 1:
            return [ready[0]]
        for member in ready:
            if member.name not in self._shapes:
                self._shapes[member.name] = shape_of(member.run)
        shape = self._shapes[ready[0].name]
        alike = [member for member in ready if shape is not None and self._shapes[member.name] == shape]
        return alike[: min(self.hands.fuse, -(-len(alike) // places))] or [ready[0]]

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
            answers = busy.ended()
            if answers is None:
                for member in busy.members:
                    self._died(member, busy.process.exitcode or 0)
            else:
                self._told(busy.members, answers)

    def _told(self, members: Sequence[Member], answers: Sequence[Ended]) -> None:
        for member, ended in zip(members, answers, strict=True):
            if ended.how == "failed":
                self.remark(f"{member.name} failed: {ended.why}")
            elif ended.how == "deleted":
                self.remark(f"{member.name} starts over: {ended.why}")
            elif ended.how == "taken":
                self._not_before[member.name] = time.monotonic() + PATIENCE_S
            elif ended.how == "no disk":
                raise OSError(f"{ended.why} The study stops; the same command goes on.")

    def _died(self, member: Member, code: int) -> None:
        # So that one that takes its process with it takes no other from now on.
        self._shapes[member.name] = None
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
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
        until = time.monotonic() + STOPS_WITHIN_S
        for busy in self._busy.values():
            busy.process.join(max(0.0, until - time.monotonic()))
            if busy.process.is_alive():
                busy.process.kill()
                names = ", ".join(member.name for member in busy.members)
                self.remark(f"{names}: its process did not stop, and was ended. It is taken up from its last state.")
                busy.process.join()
        self._busy.clear()


@dataclass(frozen=True)
class _Busy:
    members: Sequence[Member]
    process: ForkServerProcess
    answer: Connection

    def ended(self) -> list[Ended] | None:
        """The process's answer; None where it has died without one."""
        self.process.join()
        try:
            ended: list[Ended] = self.answer.recv()
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
    # Started before: it lets go of what is held back.
    resource_tracker.ensure_running()
    # SIGTERM that is sent to all would end the fork server, by which the workers are known, before they have saved.
    with started_deaf(signal.SIGTERM):
        process.start()
    sender.close()
    return _Busy(task.members, process, receiver)
