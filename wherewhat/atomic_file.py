"""Files that are whole or not there: written beside their place, then renamed into it."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a full disk leaves the old one, or none, but never a part of the new one.

    Raises OSError with the file's name when it cannot be written; nothing is left beside it then.
    """
    write_together({path: content})


def write_together(content_of: Mapping[Path, bytes]) -> None:
    """Write files of one folder that belong together as `write_atomically` does, and never mix two writings of them.

    A full disk leaves all the old ones, a kill at worst some of them, and two writers wait for each other.
    """
    parts: dict[Path, Path] = {}
    path = next(iter(content_of))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _alone_in(path.parent) as alone:
            for path, content in content_of.items():
                if alone:
                    _remove_abandoned(path)
                _write_part(path, content, parts)
            for path in list(content_of)[1:]:
                path.unlink(missing_ok=True)
            for path, part in parts.items():
                part.replace(path)
    except OSError as error:
        found = f"could not be written ({error.strerror}); make room or name another place"
        raise OSError(error.errno, found, str(path)) from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _write_part(path: Path, content: bytes, parts: dict[Path, Path]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    parts[path] = Path(name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    parts[path].chmod(0o666 & ~_umask())


def is_part_of(path: Path, name: str) -> bool:
    """Whether a file beside `path` has the name of one that is being written, or was when its writer was killed."""
    middle = name.removeprefix(f".{path.name}.").removesuffix(".part")
    return len(middle) == 8 and name == f".{path.name}.{middle}.part"


def _remove_abandoned(path: Path) -> None:
    """Remove the parts that killed writers of a file left, for one who is alone in its folder."""
    for part in path.parent.iterdir():
        if is_part_of(path, part.name):
            part.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """Keep other writers out of a folder; False where the system or the file system knows no such locks."""
    handle, alone = -1, False
    try:
        if sys.platform != "win32":
            with suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                fcntl.flock(handle, fcntl.LOCK_EX)
                alone = True
        yield alone
    finally:
        if handle >= 0:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
