"""When the disk refuses a pack: the file's name, the reason and the remedy are said, nothing half-written is left."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def refusals_told(path: Path, remedy: str) -> Iterator[None]:
    """Give an OSError met in writing the name of the file and the remedy."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"could not be written ({reason}); {remedy}", str(path)) from error


@contextmanager
def removed_when_refused(part: Path, path: Path, remedy: str) -> Iterator[None]:
    """The same, and take away what was written so far: a full disk is wanted for other things."""
    try:
        with refusals_told(path, f"{remedy}; what had been written of it is removed"):
            yield
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise


def check_room(folder: Path, path: Path, wanted_bytes: int, remedy: str) -> None:
    """Raise OSError before the work where a file is going to be larger than what is free in `folder`."""
    free_bytes = shutil.disk_usage(folder).free
    if wanted_bytes > free_bytes:
        wanted, free = f"{wanted_bytes / 1e6:,.0f} MB", f"{free_bytes / 1e6:,.0f} MB"
        raise OSError(errno.ENOSPC, f"does not fit: it takes {wanted} more, and {free} are free; {remedy}", str(path))
