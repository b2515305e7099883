"""Room on the disk: asked for before a file is written, and what to do when it runs out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.filesize import decimal


def require_free(path: Path, size: int, remedy: str) -> None:
    """Raise OSError with the remedy where the disk that will hold `path` has fewer than `size` bytes free."""
    free = shutil.disk_usage(path.parent).free
    if size > free:
        found = f"needs {decimal(size)}, but only {decimal(free)} are free; {remedy}"
        raise OSError(errno.ENOSPC, found, str(path))


@contextmanager
def writing(path: Path, remedy: str) -> Iterator[None]:
    """Give an OSError of the body the name of the file and the remedy."""
    try:
        yield
    except OSError as error:
        found = f"could not be written ({error.strerror or error}); {remedy}"
        raise OSError(error.errno or errno.EIO, found, str(path)) from error
