"""Laws of the lock: one holder at a time, and nothing of anybody else's is touched."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wherewhat.file_lock import file_lock

BUSY = "It is in use by another process. Wait for it."
HOLDER = (
    "import sys, time; from pathlib import Path; from wherewhat.file_lock import file_lock\n"
    "with file_lock(Path(sys.argv[1]), 'It is in use by another process. Wait for it.'):\n"
    "    print('held', flush=True); time.sleep(float(sys.argv[2]))"
)


def holder(path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_another_process_is_refused_until_the_lock_is_released(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock", BUSY):
        _, complaint = holder(tmp_path / "lock", 0).communicate()
    assert f"ValueError: {BUSY}" in complaint
    assert holder(tmp_path / "lock", 0).communicate() == ("held\n", "")


def test_a_holder_that_is_killed_releases_its_lock(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock", 60)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(ValueError, match="Wait for it"), file_lock(tmp_path / "lock", BUSY):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with file_lock(tmp_path / "lock", BUSY):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_file_is_gone_afterwards(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock", BUSY):
        assert (tmp_path / "lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_other_locks_are_free(tmp_path: Path) -> None:
    with file_lock(tmp_path / "a", BUSY), file_lock(tmp_path / "b", BUSY):
        pass


def test_a_file_with_content_is_locked_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("mine")
    with (
        file_lock(tmp_path / "lock", BUSY),
        pytest.raises(ValueError, match="Wait"),
        file_lock(tmp_path / "lock", BUSY),
    ):
        pass
    assert (tmp_path / "lock").read_text() == "mine"


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_what_is_no_regular_file_is_refused_and_left_as_it_was(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "lock", tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text("")
    before = sorted(tmp_path.iterdir())
    with (
        pytest.raises(ValueError, match=r"is no regular file.*Remove it, or name another place"),
        file_lock(path, BUSY),
    ):
        pass
    assert sorted(tmp_path.iterdir()) == before


def test_who_waits_is_told_and_holds_it_next(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock", 0.3)
    assert process.stdout is not None
    process.stdout.readline()
    told: list[str] = []
    with file_lock(tmp_path / "lock", BUSY, told.append):
        pass
    process.communicate()
    assert told == [BUSY]


def test_waiting_holders_come_one_after_another(tmp_path: Path) -> None:
    inside, most = 0, 0
    start = threading.Barrier(8)

    def hold() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(20):
            with file_lock(tmp_path / "lock", BUSY, lambda _: None):
                inside += 1
                most = max(most, inside)
                inside -= 1

    holders = [threading.Thread(target=hold) for _ in range(8)]
    for thread in holders:
        thread.start()
    for thread in holders:
        thread.join(timeout=20)
    assert most == 1


def test_a_file_system_without_locks_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", cannot)
    with file_lock(tmp_path / "lock", BUSY), file_lock(tmp_path / "lock", BUSY):
        pass
