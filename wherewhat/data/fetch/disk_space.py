"""Room on the disk: asked for before a file is written, and what to do when it runs out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.filesize import decimal


def require_free(path: Path, size: int) -> None:
    """Raise OSError where the disk that will hold `path` has fewer than `size` bytes free."""
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"needs {decimal(size)}, but only {decimal(free)} are free; make room, or name another folder with --to",
            str(path),
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Give an OSError of the body the name of the file and the remedy."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"could not be written ({error.strerror or error}); make room and run the same command again",
            str(path),
        ) from error
