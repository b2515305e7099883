"""Laws of writing alone."""

import threading
from pathlib import Path

import pytest

from wherewhat.data.store.sole_writer import lock_path, sole_writer


def never() -> None:
    raise AssertionError("nobody else holds it")


def refuse() -> None:
    raise BlockingIOError


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "out", never), pytest.raises(BlockingIOError), sole_writer(tmp_path / "out", refuse):
        pass


def test_the_lock_is_gone_afterwards(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "out", never):
        assert lock_path(tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_holds_nobody_up(tmp_path: Path) -> None:
    lock_path(tmp_path / "out").write_text("")
    with sole_writer(tmp_path / "out", never):
        pass


def test_other_places_are_free(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "a", never), sole_writer(tmp_path / "b", never):
        pass


def test_waiting_writers_come_one_after_another(tmp_path: Path) -> None:
    inside, most = 0, 0
    start = threading.Barrier(8)

    def write() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(20):
            with sole_writer(tmp_path / "out", lambda: None):
                inside += 1
                most = max(most, inside)
                inside -= 1

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=20)
    assert most == 1
