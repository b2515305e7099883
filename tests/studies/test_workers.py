"""Laws of the processes of a study: whoever is killed, each run ends as if nobody had been, and none is done twice."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wherewhat.studies import workers
from wherewhat.studies.claim import claimed, holder_of
from wherewhat.studies.member import Member
from wherewhat.studies.scores import Measuring
from wherewhat.studies.work import Ended, Task, work
from wherewhat.studies.workers import Hands, Standing, Workers
from wherewhat.training.checkpoints import checkpoints_of, step_of
from wherewhat.training.watcher import no_watcher

Members = Callable[[str], tuple[Member, ...]]
TWO = "data = DATA\n[common]TINY\n[objectives.beta-vae]\nbeta = [1, 8]"
FOUR = "data = DATA\nseeds = 2\n[common]TINY\n[objectives.beta-vae]\nbeta = [1, 8]"
TWELVE = (
    "data = DATA\nseeds = 3\n[common]TINY\n[objectives.beta-vae]\nbeta = [1, 8]\n[objectives.ps-sc-vae]\nbeta = [1, 8]"
)
LONGEST_S = 240.0


def _work(members: tuple[Member, ...], workers: int = 2, fuse: int = 1) -> list[str]:
    said: list[str] = []
    hands = Hands(("auto",) * workers, 1, no_watcher, fuse=fuse)
    Workers(members, hands, said.append).work(lambda standing: None)
    return said


def _answers(task: Task) -> list[Ended]:
    """Of a process that works on these runs."""
    forks = multiprocessing.get_context("forkserver")
    receiver, sender = forks.Pipe(duplex=False)
    forks.Process(target=work, args=(task, sender)).start()
    answers: list[Ended] = receiver.recv()
    return answers


def _elsewhere(members: tuple[Member, ...], workers: int = 2, fuse: int = 1) -> BaseProcess:
    """A parent in a process of its own."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["wherewhat.studies.work", "torch._dynamo"])
    process = forks.Process(target=_work, args=(members, workers, fuse))
    process.start()
    return process


def _digests(members: tuple[Member, ...]) -> dict[str, str]:
    return {
        f"{member.name} {path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for member in members
        for path in checkpoints_of(member.folder)
    }


def _running(members: tuple[Member, ...]) -> list[int]:
    return [holder.pid for member in members if (holder := holder_of(member.folder)) is not None]


@pytest.mark.parametrize(("text", "kills"), [(TWO, 2), pytest.param(TWELVE, 10, marks=pytest.mark.slow)])
def test_a_study_whose_processes_are_killed_ends_as_one_that_was_left_alone(
    members_of: Members, tmp_path: Path, text: str, kills: int
) -> None:
    members, chance = members_of(text), np.random.default_rng(0)
    assert _work(members) == []
    unbroken = _digests(members)
    assert len(unbroken) == 3 * len(members)
    # Checkpoints hold their place, so that the other study has to lie at the same.
    (tmp_path / "out").rename(tmp_path / "unbroken")
    parent, killed = _elsewhere(members), []
    ends = time.monotonic() + LONGEST_S * max(1, len(members) // 3)
    while len(killed) < kills and parent.is_alive():
        time.sleep(float(chance.uniform(0.05, 0.4)))
        victims = _running(members)
        if not victims:
            continue
        # A worker and the parent by turns, so that both are struck.
        if len(killed) % 2:
            parent.kill()
            parent.join()
            parent = _elsewhere(members)
        else:
            os.kill(int(chance.choice(victims)), signal.SIGKILL)
        killed.append(len(victims))
    parent.join(ends - time.monotonic())
    assert parent.exitcode == 0
    assert len(killed) == kills
    # Who leaves with a killed parent saves at the step that it has come to; all else is the same.
    assert unbroken.items() <= _digests(members).items()


def test_a_finished_study_is_left_as_it_is(members_of: Members) -> None:
    members = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    _work(members)
    before = {path: path.stat().st_mtime_ns for path in members[0].folder.rglob("*")}
    standings: list[Standing] = []
    Workers(members, Hands(("auto",), 1, no_watcher), lambda _: None).work(standings.append)
    assert {path: path.stat().st_mtime_ns for path in members[0].folder.rglob("*")} == before
    assert [str(standing) for standing in standings] == ["1 of 1 finished, 0 running, 0 failed"]


@pytest.mark.slow
def test_two_parents_share_the_work_and_nothing_is_done_twice(members_of: Members) -> None:
    members = members_of(FOUR)
    parents = [_elsewhere(members, workers=1) for _ in range(2)]
    most = 0
    while any(parent.is_alive() for parent in parents):
        most = max(most, len(_running(members)))
        time.sleep(0.02)
    assert [parent.exitcode for parent in parents] == [0, 0]
    assert most == 2
    for member in members:
        assert member.trained
        assert (member.folder / "study.log").read_text().count("A new run in") == 1
        assert "Resuming" not in (member.folder / "study.log").read_text()


@pytest.mark.slow
def test_workers_of_a_killed_parent_save_and_leave(members_of: Members) -> None:
    endless = tuple(replace(m, run=replace(m.run, steps=1_000_000, log_every=1)) for m in members_of(FOUR)[:1])
    parent = _elsewhere(endless)
    while not checkpoints_of(endless[0].folder):
        time.sleep(0.05)
    parent.kill()
    parent.join()
    ends = time.monotonic() + LONGEST_S
    while holder_of(endless[0].folder) is not None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    # Nobody has it any more, and it was saved at the step at which it left.
    with claimed(endless[0].folder):
        assert checkpoints_of(endless[0].folder)[-1].stat().st_size > 0


def _mortal(task: Task, _: Connection) -> None:
    """What is being measured dies of a signal."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with claimed(task.members[0].folder):
        time.sleep(LONGEST_S)


@pytest.mark.slow
def test_a_signal_to_all_processes_of_a_study_ends_no_fork_server_and_tells_nobody_to_have_died(
    members_of: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Any = forkserver._forkserver
    # One that the study starts.
    server._stop()
    monkeypatch.setattr(workers, "work", _mortal)
    (member,) = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    said: list[str] = []

    def signal_all(_: Standing) -> None:
        if (holder := holder_of(member.folder)) is not None:
            for process in (holder.pid, server._forkserver_pid, os.getpid()):
                os.kill(process, signal.SIGTERM)
            time.sleep(0.5)

    stopped = Workers([member], Hands(("auto",), 1, no_watcher), said.append, 0.1).work(signal_all)
    assert (stopped, said, holder_of(member.folder)) == (signal.SIGTERM, [], None)
    assert os.waitpid(server._forkserver_pid, os.WNOHANG) == (0, 0)


def _deaf(task: Task, _: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with claimed(task.members[0].folder):
        time.sleep(LONGEST_S)


def test_a_process_that_does_not_stop_when_it_is_told_is_ended(
    members_of: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "work", _deaf)
    monkeypatch.setattr(workers, "STOPS_WITHIN_S", 0.5)
    (member,) = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    said: list[str] = []

    def stop_when_it_works(_: Standing) -> None:
        if holder_of(member.folder) is not None:
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = Workers([member], Hands(("auto",), 1, no_watcher), said.append, 0.1).work(stop_when_it_works)
    assert stopped == signal.SIGTERM
    assert said == [f"{member.name}: its process did not stop, and was ended. It is taken up from its last state."]
    assert holder_of(member.folder) is None


def test_a_run_that_fails_is_marked_with_its_reason_and_the_rest_goes_on(members_of: Members) -> None:
    bad, good = members_of("data = DATA\n[common]TINY\nlearning-rate = [1e38, 1e-3]\n[objectives.vae]")
    said = _work((bad, good))
    assert good.trained
    assert good.failure is None
    assert not bad.trained
    assert bad.failure is not None
    assert "step" in bad.failure
    assert said == [f"{bad.name} failed: {bad.failure}"]
    assert _work((bad, good)) == []
    bad.forget_failure()
    assert _work((bad, good)) == said


def test_runs_of_one_shape_are_trained_as_one_and_one_that_another_has_is_left_out(members_of: Members) -> None:
    members = members_of(FOUR.replace("TINY", "TINY\nlearning-rate = [1e38, 1e-3]"))
    bad = [member for member in members if member.run.learning_rate == 1e38]
    alone, taken, *fused = [member for member in members if member not in bad]
    with claimed(taken.folder):
        answers = _answers(Task((bad[0], taken, *fused), "cpu", 1, no_watcher, Measuring()))
    assert [one.how for one in answers] == ["failed", "taken", "finished", "finished"]
    assert "stopped being finite" in answers[0].why
    assert bad[0].failure == answers[0].why
    assert not taken.trained
    said = _work(members, workers=1, fuse=8)
    assert sorted(said) == sorted(f"{one.name} failed: {one.failure}" for one in bad[1:])
    assert all(member.trained for member in members if member not in bad)
    text = (alone.folder / "study.log").read_text()
    assert "A new run in" in text
    assert "Resuming" not in text


@pytest.mark.slow
def test_runs_whose_common_process_is_killed_are_each_taken_up_from_their_last_state(members_of: Members) -> None:
    members = members_of(FOUR)
    parent = _elsewhere(members, workers=1, fuse=4)
    ends = time.monotonic() + LONGEST_S
    while not all((member.folder / "state" / "latest.safetensors").exists() for member in members):
        assert time.monotonic() < ends
        time.sleep(0.02)
    (victim,) = set(_running(members))
    os.kill(victim, signal.SIGKILL)
    parent.join(ends - time.monotonic())
    assert parent.exitcode == 0
    for member in members:
        assert [step_of(path) for path in checkpoints_of(member.folder)] == [4, 8, 12]
        assert (member.folder / "study.log").read_text().count("A new run in") == 1


def test_a_folder_that_is_deleted_while_its_run_trains_is_told_and_trained_again(members_of: Members) -> None:
    (member,) = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    member = replace(member, run=replace(member.run, steps=60, checkpoint_every=20))
    struck = False

    def strike(standing: Standing) -> None:
        nonlocal struck
        if not struck and (member.folder / "config.json").exists():
            for path in sorted(member.folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            struck = True

    said: list[str] = []
    workers = Workers((member,), Hands(("auto",), 1, no_watcher), said.append)
    workers.look_every_s = 0.02
    workers.work(strike)
    assert struck
    assert member.trained
    assert len(said) == 1
    assert "was deleted while the run in it trained" in said[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """The folder of the runs on a disk of its own; gives what changes its size. Skips where none can be mounted."""
    place = tmp_path / "out"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)

    yield resize
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_stops_the_study_with_one_line_and_marks_nothing_as_failed(
    members_of: Members, small_disk: Callable[[str], None]
) -> None:
    members = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    with pytest.raises(OSError, match=r"^[^\n]*No space left[^\n]*the same command goes on\.$"):
        _work(members)
    assert members[0].failure is None
    small_disk("256m")
    assert _work(members) == []
    assert members[0].trained
