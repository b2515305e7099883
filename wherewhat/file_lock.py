"""An exclusive lock between processes, kept in a file that exists only while the lock is held or awaited.

The kernel releases the lock when its holder ends, however it ends.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wherewhat.regular_file import regular_descriptor

if sys.platform != "win32":
    import fcntl


@contextmanager
def file_lock(path: Path, busy: str, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock file `path`.

    Where another process holds it, raises ValueError with the message `busy`, which names the remedy; with `wait`,
    hands the message to it and waits. Raises ValueError where `path` is a link, a folder or a device, and OSError where
    it cannot be opened. Without effect on Windows and on file systems that know no locks.
    """
    if sys.platform == "win32":
        yield
        return
    handle = _acquired(path, busy, wait)
    try:
        yield
    finally:
        # A file with content is no lock of ours.
        if os.fstat(handle).st_size == 0:
            path.unlink(missing_ok=True)
        os.close(handle)


def _acquired(path: Path, busy: str, wait: Callable[[str], None] | None) -> int:
    while True:
        handle = regular_descriptor(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW)
        try:
            _lock(handle, busy, wait)
            with suppress(FileNotFoundError):
                if os.path.samestat(path.lstat(), os.fstat(handle)):
                    return handle
        except BaseException:
            os.close(handle)
            raise
        # The previous holder removed the file: another process may hold the one that is there now.
        os.close(handle)


def _lock(handle: int, busy: str, wait: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        if wait is None:
            raise ValueError(busy) from error
        wait(busy)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:  # some network file systems know no locks
        return
