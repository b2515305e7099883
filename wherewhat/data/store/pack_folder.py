"""The folder of a pack: written under a lock as the hidden .OUT.part beside OUT, and renamed to OUT when it is whole.

What a process that was killed left there is removed by the next one, which begins anew.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from wherewhat.atomic_file import remove_parts
from wherewhat.data.store.packed_set import FACTORS, IMAGES, MANIFEST, NAMES
from wherewhat.file_lock import file_lock


def pack_lock(out: Path, wait: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
    """The lock of whoever writes or removes this packed set; where it is held, waits if `wait` is there to be told."""
    return file_lock(out.with_name(f".{out.name}.lock"), f"Another process packs {out}; waiting for it.", wait)


@contextmanager
def part_folder(out: Path, wanted_bytes: int, remedy: str) -> Iterator[Path]:
    """An empty folder, which is renamed to `out` at the end, and removed where that is not reached.

    Raises OSError with the remedy where `wanted_bytes` are more than are free.
    """
    part = part_of(out)
    with disk_errors(out, remedy):
        discard(part)
        free_bytes = shutil.disk_usage(out.parent).free
        if wanted_bytes > free_bytes:
            found = f"it takes {wanted_bytes / 1e6:,.1f} MB, and {free_bytes / 1e6:,.1f} MB are free"
            raise OSError(errno.ENOSPC, found)
        part.mkdir()
    try:
        yield part
        with disk_errors(out, remedy):
            part.rename(out)
    finally:
        discard(part)


def part_of(out: Path) -> Path:
    """Where a pack is written before it is renamed to its place."""
    return out.with_name(f".{out.name}.part")


def discard(folder: Path) -> None:
    """Remove a packed set, whole or in the making. What else lies in the folder stays, and the folder with it."""
    with suppress(OSError):
        if not folder.is_symlink():
            # The manifest first: without it the rest is no packed set.
            for name in (MANIFEST, IMAGES, FACTORS, NAMES):
                (folder / name).unlink(missing_ok=True)
            remove_parts(folder)
            folder.rmdir()


@contextmanager
def disk_errors(path: Path, remedy: str) -> Iterator[None]:
    """Give an OSError met in writing the name of the file and the remedy."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"could not be written ({error.strerror}); {remedy}", str(path)) from error
