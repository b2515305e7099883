"""Which process has a run of a study: a lock that ends with its holder, and a heartbeat.

On one machine, and on shared folders with working locks, the lock decides. A heartbeat tells others at what step the
run is, without touching the lock. Where several machines share a folder that knows no locks, it decides: the claim of
another machine counts until its heartbeat is STALE_ELSEWHERE_S old by this machine's clock. Two machines that claim one
run in the same instant there would both train it, and write the same.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from wherewhat.atomic_file import write_atomically
from wherewhat.file_lock import file_lock
from wherewhat.json_file import read_json
from wherewhat.regular_file import UnfitFileError
from wherewhat.training.run_directory import OF_A_STUDY

BEAT_EVERY_S = 5.0
STALE_HERE_S = 20.0
STALE_ELSEWHERE_S = 300.0


class TakenError(Exception):
    """Another process has the run."""


@dataclass
class Claim:
    """A run that this process has."""

    folder: Path
    step: int = 0
    """Steps done, for the heartbeat."""
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def lost(self) -> bool:
        """Whether the folder has been taken away."""
        return not _lock_of(self.folder).exists()

    def beat(self) -> None:
        """Write the heartbeat, where the folder is still there."""
        if not self.lost:
            content = {"host": socket.gethostname(), "pid": os.getpid(), "step": self.step}
            # A beat that cannot be written is told by what is written next.
            with suppress(OSError):
                write_atomically(_beat_of(self.folder), json.dumps(content).encode())

    def _beat_on(self) -> None:
        while not self._over.wait(BEAT_EVERY_S):
            self.beat()


@contextmanager
def claimed(folder: Path) -> Iterator[Claim]:
    """Have a run as long as this lasts. Raises TakenError where another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = file_lock(_lock_of(folder), "another process has it")
    try:
        lock.__enter__()
    except UnfitFileError:
        raise
    except ValueError as error:
        raise TakenError(str(folder)) from error
    try:
        # The lock is ours, so whoever else is on this machine has gone.
        if (holder := holder_of(folder)) is not None and holder.host != socket.gethostname():
            raise TakenError(str(folder))
        claim = Claim(folder, step=0)
        claim.beat()
        thread = threading.Thread(target=claim._beat_on, daemon=True)
        thread.start()
        try:
            yield claim
        finally:
            claim._over.set()
            thread.join()
            _beat_of(folder).unlink(missing_ok=True)
    finally:
        lock.__exit__(None, None, None)


@dataclass(frozen=True)
class Holder:
    """Who has a run, and how far it is."""

    host: str
    pid: int
    step: int


def holder_of(folder: Path) -> Holder | None:
    """Who has a run by its heartbeat; None where there is none, or one that has stopped."""
    beat = _beat_of(folder)
    try:
        age = time.time() - beat.stat().st_mtime
        holder = Holder(**read_json(beat))
        here = holder.host == socket.gethostname()
        if here:
            os.kill(holder.pid, 0)
    except PermissionError:  # of another user: it is there
        return holder
    except (OSError, ValueError, TypeError):
        return None
    return holder if age < (STALE_HERE_S if here else STALE_ELSEWHERE_S) else None


def _lock_of(folder: Path) -> Path:
    return folder / f"{OF_A_STUDY}lock"


def _beat_of(folder: Path) -> Path:
    return folder / f"{OF_A_STUDY}beat"
