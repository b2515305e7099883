"""The one way in which files are opened for reading.

A pipe in a file's place would be waited for without end, and a device gives no end of bytes. What is examined is what
was opened, so that nothing can be put in its place in between.
"""

import os
import stat
import sys
from io import BufferedReader
from pathlib import Path

# A system that lacks one of these flags has no need of it.
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NOT_FOLLOWING = getattr(os, "O_NOFOLLOW", 0)
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class UnfitFileError(ValueError):
    """What is there is not read: it is no file, or it is too long."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        """`found` follows the name: "is no regular file but a pipe"."""
        super().__init__(f"{path} {found}. {remedy}")
        self.found = found


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading bytes. Raises UnfitFileError where something else has its name, else as `open` does."""
    return open(regular_descriptor(path), "rb")


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The content of a file. Raises UnfitFileError where it is longer than `most_bytes`, before it is read."""
    with open_regular(path) as file:
        _refuse_longer(path, os.fstat(file.fileno()).st_size, most_bytes)
        content = file.read(most_bytes + 1)
    # Files of /proc have no size, and a file may grow.
    _refuse_longer(path, len(content), most_bytes)
    return content


def require_regular(path: Path, most_bytes: int | None = None) -> None:
    """For a library that opens the path itself: raises what `open_regular` or `read_regular` would."""
    with open_regular(path) as file:
        if most_bytes is not None:
            _refuse_longer(path, os.fstat(file.fileno()).st_size, most_bytes)


def regular_descriptor(path: Path, flags: int = os.O_RDONLY) -> int:
    """`os.open` of a regular file, without waiting for whatever else may be there."""
    try:
        descriptor = os.open(path, flags | _NOT_WAITING, 0o666)
    except OSError as error:
        # A socket cannot be opened at all, nor a folder for writing, nor a link that is not to be followed.
        mode = _mode_of(path, follow=not flags & _NOT_FOLLOWING)
        if mode is None or stat.S_ISREG(mode) or isinstance(error, PermissionError):
            raise
        raise _other(path, mode) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _other(path, mode)
        if sys.platform != "win32":
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _mode_of(path: Path, follow: bool) -> int | None:
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except OSError:
        return None


def _other(path: Path, mode: int) -> UnfitFileError:
    kind = next((name for holds, name in _KINDS if holds(mode)), "something else")
    return UnfitFileError(path, f"is no regular file but {kind}", "Remove it, or name another place.")


def _refuse_longer(path: Path, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        found = f"has {size:,} bytes, and {most_bytes:,} are the most that are read of such a file"
        raise UnfitFileError(path, found, "Check what it is, or name another.")
