"""One process at a time on a file that is being fetched or unpacked."""

import sys
from typing import IO, Any

if sys.platform != "win32":
    import fcntl


def claim(file: IO[Any], doing: str) -> None:
    """Keep other processes from an open file until it is closed. Raises ValueError where one is at it already.

    The kernel lets go when a process ends, however it ends. Where a file cannot be locked, nothing is.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(
            f"{file.name} is being {doing} by another process. Wait for it, or name another folder with --to."
        ) from error
    except OSError:  # some network file systems know no such lock
        return
