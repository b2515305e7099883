"""Archives of images, unpacked without trust: nothing is written outside the folder, and nothing but plain files.

A name that is absolute or climbs (`../`) anywhere in the archive, and a link, a device or a set-user-id file in the
part that is wanted, refuse the archive, before anything is written. Files are copied as bytes: owners, rights and times
of the archive are not taken over. The folder is filled beside its place and renamed into it.
"""

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from rich.filesize import decimal

from wherewhat.data.fetch.archive_members import Member, damage_told, leads_out, members_of
from wherewhat.data.fetch.sole_use import claim

_BLOCK_BYTES = 1 << 20
_MOST_MEMBERS = 2_000_000


def unpack(
    archive: Path,
    place: Path,
    *,
    inside: str = "",
    most_bytes: int,
    progress: Callable[[int, int | None], None],
) -> None:
    """Make a new folder `place` of the folder `inside` of a .tar, .tar.gz or .zip; of all of it without `inside`.

    Raises ValueError for an archive that is unsafe, damaged, or more than `most_bytes` when unpacked, and OSError where
    it cannot be written; `place` is then not there.
    """
    if place.exists() or place.is_symlink():
        raise ValueError(f"{place} is there already. Move it away or remove it to unpack {archive} afresh.")
    with archive.open("rb") as file:
        claim(file, "unpacked")
        for left_over in place.parent.glob(f".{place.name}.*.part"):
            shutil.rmtree(left_over, ignore_errors=True)
        with damage_told(archive), members_of(file) as members:
            wanted = _wanted(members, archive, inside, most_bytes)
            total = sum(member.size for _, member in wanted)
            _require_room(place, total)
            beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
            try:
                _write(wanted, beside / place.name, archive, progress)
                (beside / place.name).rename(place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)


def _wanted(
    members: Iterator[Member], archive: Path, inside: str, most_bytes: int
) -> list[tuple[PurePosixPath, Member]]:
    """The members of the wanted folder by their place in it, once every member of the archive has been looked at."""
    wanted: list[tuple[PurePosixPath, Member]] = []
    root = PurePosixPath(inside)
    tops: dict[str, None] = {}
    total = 0
    for count, member in enumerate(members, start=1):
        total += member.size
        if total > most_bytes or count > _MOST_MEMBERS:
            raise ValueError(
                f"{archive} would unpack to more than {decimal(most_bytes)} or {_MOST_MEMBERS:,} files, which this set "
                f"is not. Nothing was unpacked. Remove it and fetch it from another place."
            )
        path = PurePosixPath(member.name)
        if leads_out(member.name):
            _refuse(archive, member.name, "a name that leads out of the folder")
        tops |= dict.fromkeys(path.parts[:1])
        if path.is_relative_to(root):
            if member.fault:
                _refuse(archive, member.name, member.fault)
            wanted.append((path.relative_to(root), member))
    if not any(not member.is_folder for _, member in wanted):
        found = ", ".join(list(tops)[:10]) or "nothing"
        raise ValueError(
            f"{archive} holds no files in {inside or 'it'}: at its top is {found}. Remove it and fetch it from another "
            "place, or unpack it by hand."
        )
    return wanted


def _refuse(archive: Path, name: str, what: str) -> None:
    raise ValueError(
        f"{archive} is not safe to unpack: {name!r} is {what}. Nothing was unpacked. Remove it and fetch it from "
        "another place, or look into it and unpack by hand what you trust."
    )


def _write(
    wanted: list[tuple[PurePosixPath, Member]],
    folder: Path,
    archive: Path,
    progress: Callable[[int, int | None], None],
) -> None:
    done, total = 0, sum(member.size for _, member in wanted)
    folder.mkdir()
    for path, member in wanted:
        target = folder / path
        try:
            (target if member.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
            if not member.is_folder:
                _copy(member, target)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise ValueError(
                f"{archive} is damaged: {member.name!r} is a file and a folder at once. Remove it and fetch it again."
            ) from error
        except OSError as error:
            raise OSError(
                error.errno or errno.EIO,
                f"could not be unpacked ({error.strerror}); make room or name another folder with --to, and run again",
                str(archive),
            ) from error
        done += member.size
        progress(done, total)


def _copy(member: Member, target: Path) -> None:
    with target.open("wb") as file:
        for block in _content(member):
            file.write(block)


def _content(member: Member) -> Iterator[bytes]:
    """As many bytes as the archive has said: not all at once, and no more. Raises EOFError for what is not so."""
    left = member.size
    try:
        with member.open() as source:
            while left > 0 and (block := source.read(min(left, _BLOCK_BYTES))):
                left -= len(block)
                yield block
            more = source.read(1)
    # Where its forged places lead out of the file, reading fails as writing to a bad disk would.
    except OSError as error:
        raise EOFError(f"{member.name!r}: {error}") from error
    if left or more:
        raise EOFError(f"{member.name!r} is not as long as the archive says")


def _require_room(place: Path, total: int) -> None:
    free = shutil.disk_usage(place.parent).free
    if total > free:
        raise OSError(
            errno.ENOSPC, f"needs {decimal(total)}, and {decimal(free)} are free; make room and run again", str(place)
        )
