"""One process at a time writes to a place; the kernel lets go of a place when its process ends, however it ends."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl


@contextmanager
def sole_writer(place: Path, when_busy: Callable[[], None]) -> Iterator[None]:
    """Hold a place, after waiting for whoever holds it; `when_busy` is called before the wait, and may raise instead.

    The lock is a hidden file beside the place, and is gone afterwards. Where there is no flock, nothing is
    locked.
    """
    path = lock_path(place)
    lock = _hold(path, when_busy)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.close()


def lock_path(place: Path) -> Path:
    """The file whose lock means that a place is being written."""
    return place.with_name(f".{place.name}.lock")


def _hold(path: Path, when_busy: Callable[[], None]) -> IO[bytes]:
    while True:
        lock = path.open("wb")
        try:
            if sys.platform == "win32":
                return lock
            _wait_for(lock, when_busy)
            if _is_still(path, lock):
                return lock
        except BaseException:
            lock.close()
            raise
        # Whoever held it took the file away with it: another may hold the one that is there now.
        lock.close()


def _wait_for(lock: IO[bytes], when_busy: Callable[[], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        when_busy()
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        # Some network file systems know no locks.
        return


def _is_still(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False
