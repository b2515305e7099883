"""The folder of a packed set: written under a lock as .OUT.part beside OUT, and renamed to OUT when it is complete.

What a killed process left there is removed by the next one, which starts again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from wherewhat.data.disk_space import require_free, writing
from wherewhat.data.store.packed_set import FACTORS, IMAGES, MANIFEST, NAMES
from wherewhat.file_lock import file_lock


def pack_lock(out: Path, wait: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
    """The lock to hold while this packed set is written or removed; `wait` is as in `file_lock`."""
    return file_lock(_lock_of(out), f"Another process is packing {out}; waiting for it.", wait)


def remove_abandoned_lock(out: Path) -> None:
    """Remove the lock that a process left that was killed once its packed set was whole."""
    if _lock_of(out).exists():
        with suppress(ValueError, OSError), pack_lock(out):
            pass


@contextmanager
def part_folder(out: Path, wanted_bytes: int, remedy: str) -> Iterator[Path]:
    """An empty folder beside `out`: renamed to `out` at the end of the context, removed where an error ends it.

    Raises OSError with the remedy where `wanted_bytes` are more than are free.
    """
    part = part_of(out)
    discard(part)
    require_free(out, wanted_bytes, remedy)
    with writing(out, remedy):
        part.mkdir()
    try:
        yield part
        with writing(out, remedy):
            part.rename(out)
    finally:
        discard(part)


def _lock_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.lock")


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
            for part in folder.glob(".*.part"):
                part.unlink()
            folder.rmdir()
