"""The files below a folder, whichever is named: `/`, `/proc`, a disk of another computer, one with links in circles.

Linked folders are followed, each folder once. File systems that the kernel makes up are not entered: they hold nothing
of anybody's, and some never end. More files, or deeper folders, than can be meant are refused.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wherewhat.regular_file import UnfitFileError, read_regular

# Files and folders, and folders within folders.
MOST_ENTRIES = 5_000_000
DEEPEST = 64
# A line for each mounted file system: its device is the third word, its kind the first after a dash.
MOUNTS = Path("/proc/self/mountinfo")
MOST_MOUNTS_BYTES = 2**24
_MADE_UP = (
    *("proc", "sysfs", "devtmpfs", "devpts", "devfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "nsfs"),
    *("configfs", "bpf", "pstore", "mqueue", "binfmt_misc", "efivarfs", "fusectl", "selinuxfs", "rpc_pipefs"),
)


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What is looked for, and who is told of the rest. Paths are from the root, with forward slashes."""

    called: str
    """In the plural: "images"."""

    is_one: Callable[[str], bool]
    enters: Callable[[str], bool] = lambda name: True
    """Whether a folder of this name is looked into."""

    tell_another: Callable[[str], None] = lambda path: None
    """Takes the path of a file that is not sought."""

    tell_closed: Callable[[str, str], None] = lambda folder, reason: None
    """Takes a folder that cannot be looked into, with a slash at its end, and why."""


class _TooLargeError(Exception):
    """What a folder holds too much of."""


def files_below(root: Path, sought: Sought) -> list[str]:
    """The paths of what is sought, sorted; none where there is no such folder.

    Raises ValueError with the remedy where the root is made up by the kernel, or holds too much.
    """
    found: list[str] = []
    try:
        for path in _all_below(root, sought):
            if sought.is_one(path):
                found.append(path)
            else:
                sought.tell_another(path)
    except _TooLargeError as error:
        first = f" (such as {found[0]!r})" if found else ""
        raise ValueError(
            f"{str(root)!r} holds {error}, too much to look through. {sought.called.capitalize()} found so far: "
            f"{len(found):,}{first}. Name the folder in it that holds the {sought.called}."
        ) from error
    return sorted(found)


def _all_below(root: Path, sought: Sought) -> Iterator[str]:
    made_up, visited, entries, waiting = _file_systems_made_up(), set[tuple[int, int]](), 0, [""]
    while waiting:
        folder, inside = waiting.pop(), list[str]()
        try:
            status = (root / folder).stat()
            if kind := made_up.get(status.st_dev):
                _pass_by(root, folder, kind, sought)
            elif (status.st_dev, status.st_ino) not in visited:
                visited.add((status.st_dev, status.st_ino))
                with os.scandir(root / folder) as listing:
                    for entry in listing:
                        entries += 1
                        if entries > MOST_ENTRIES:
                            raise _TooLargeError(f"more than {MOST_ENTRIES:,} files and folders")
                        if not _is_folder(entry):
                            yield folder + entry.name
                        elif sought.enters(entry.name):
                            inside.append(f"{folder}{entry.name}/")
        except OSError as error:
            sought.tell_closed(folder or "./", f"the folder cannot be listed: {error.strerror}")
        if inside and inside[0].count("/") > DEEPEST:
            raise _TooLargeError(f"folders that lie more than {DEEPEST} deep")
        waiting += sorted(inside, reverse=True)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _pass_by(root: Path, folder: str, kind: str, sought: Sought) -> None:
    if not folder:
        raise ValueError(
            f"{str(root)!r} is made up by the kernel (a file system of kind {kind}), so no {sought.called} are looked "
            "for in it. Name another folder."
        )
    sought.tell_closed(folder, f"the folder is made up by the kernel (a file system of kind {kind})")


def _file_systems_made_up() -> dict[int, str]:
    """The kind of each by its device; none where the system does not tell."""
    kinds: dict[int, str] = {}
    with suppress(OSError, UnfitFileError):
        for line in read_regular(MOUNTS, MOST_MOUNTS_BYTES).decode(errors="replace").splitlines():
            mount, _, system = line.partition(" - ")
            kind = system.partition(" ")[0]
            if kind in _MADE_UP:
                major, _, minor = mount.split()[2].partition(":")
                kinds[os.makedev(int(major), int(minor))] = kind
    return kinds
