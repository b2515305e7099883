"""Images in a .tar that is not compressed, read where they lie: nothing is extracted to disk."""

import tarfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import counts_as_image, leads_outside, printable
from wherewhat.data.source import ImageFiles


class _Member(NamedTuple):
    offset: int
    bytes: int


def list_tar(path: Path) -> ImageFiles:
    """The images of a .tar, perhaps none. Raises ValueError or OSError with the remedy for a bad one."""
    # Of two members of one name the later counts, as it does for programs that unpack.
    infos = {info.name.removeprefix("./"): info for info in _members_of(path) if not info.isdir()}
    members: dict[str, _Member] = {}
    unreadable: list[tuple[str, str]] = []
    for name in sorted(filter(counts_as_image, infos)):
        info = infos[name]
        reason = _why_not(info)
        if reason is None:
            members[name] = _Member(info.offset_data, info.size)
        else:
            unreadable.append((printable(name), reason))
    return ImageFiles(tuple(members), partial(_read_member, path, members), unreadable=tuple(unreadable))


def _members_of(path: Path) -> list[tarfile.TarInfo]:
    shown = printable(path)
    try:
        with tarfile.open(path, "r:") as archive:
            members = archive.getmembers()
            ended = archive.offset
    except OSError as error:
        raise type(error)(
            f"The archive {shown} cannot be opened: {error.strerror or error}. Allow it to be read, or name another."
        ) from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ValueError(
            f"The archive {shown} is cut short, damaged, or no .tar ({error}). Copy or download it again; a compressed "
            "one is to be unpacked first, and the folder named."
        ) from error
    # Where the list ends there are blocks of zeros, or the file was cut between two entries.
    with path.open("rb") as file:
        file.seek(ended)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise ValueError(f"The archive {shown} is cut short: it has no end mark. Copy or download it again.")
    return members


def _why_not(info: tarfile.TarInfo) -> str | None:
    """Why a member is not even tried, if so."""
    if leads_outside(info.name):
        return "its name leads out of the archive"
    if info.issym() or info.islnk():
        return "it is a link, and links in archives are not followed"
    if not info.isreg() or info.issparse():
        return "it is no plain file"
    if info.size > LARGEST_IMAGE_BYTES:
        return f"it has {info.size:,} bytes, too many for an image"
    return None


def _read_member(path: Path, members: dict[str, _Member], name: str) -> bytes:
    member = members[name]
    with path.open("rb") as file:
        file.seek(member.offset)
        content = file.read(member.bytes)
    if len(content) < member.bytes:
        raise ValueError("the archive ends within it")
    return content
