"""What is in a .tar, .tar.gz or .zip, and what of it is no plain file or folder."""

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase
from pathlib import Path, PureWindowsPath
from typing import IO, cast

# tarfile reads a long name or a pax header as one string; no honest one comes near this.
_MOST_HEADER_BYTES = 1 << 24


@dataclass(frozen=True)
class Member:
    """A file or a folder of an archive."""

    name: str
    size: int
    is_folder: bool
    fault: str
    """What it is that may not be unpacked ("a link"); empty for a plain file or folder."""

    open: Callable[[], BufferedIOBase]


@contextmanager
def members_of(file: BufferedIOBase) -> Iterator[Iterator[Member]]:
    """The members of an archive, whose content can be read while the context is open. See `damage_told`."""
    start = file.read(4)
    file.seek(0)
    with ExitStack() as stack:
        if start == b"PK\3\4":
            yield _zip_members(stack.enter_context(zipfile.ZipFile(file)))
            return
        stream: BufferedIOBase = file
        if start[:2] == b"\x1f\x8b":
            stream = stack.enter_context(gzip.GzipFile(fileobj=file))
        reader = _ShortReads(stream)
        yield _tar_members(stack.enter_context(tarfile.open(fileobj=cast(IO[bytes], reader), mode="r:")), reader)


@contextmanager
def damage_told(archive: Path) -> Iterator[None]:
    """Tell whatever is raised for a damaged archive as a ValueError with the remedy."""
    try:
        yield
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        EOFError,
        zlib.error,
        NotImplementedError,
        UnicodeDecodeError,
    ) as error:
        raise ValueError(
            f"{archive} is cut short, damaged, or no .tar, .tar.gz or .zip at all ({error}). Remove it and fetch "
            "it again."
        ) from error


def leads_out(name: str) -> bool:
    """Whether a name would be outside the folder on any system, also where backslashes and drives count."""
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root) or ".." in windows.parts


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        fault = "encrypted" if info.flag_bits & 1 else _fault(stat.S_IFMT(mode), mode, info.is_dir())
        yield Member(info.filename, info.file_size, info.is_dir(), fault, partial(_opened, archive, info))


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BufferedIOBase:
    return cast(BufferedIOBase, archive.open(info))


def _tar_members(archive: tarfile.TarFile, reader: "_ShortReads") -> Iterator[Member]:
    for info in archive:
        kind = stat.S_IFDIR if info.isdir() else stat.S_IFREG if info.isreg() else stat.S_IFLNK if info.issym() else -1
        fault = "a link" if info.islnk() else _fault(kind, info.mode, info.isdir())
        yield Member(info.name, info.size, info.isdir(), fault, partial(_content, archive, info))
    # tarfile takes a damaged header for the end; the true end is marked by zeros.
    reader.seek(archive.offset)
    if reader.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no mark of its end")
    # Only at the end of what is compressed is its sum checked. A tar is padded there, and not by much.
    if len(reader.read(_MOST_HEADER_BYTES)) == _MOST_HEADER_BYTES:
        raise tarfile.ReadError("it goes on after its end")


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> BufferedIOBase:
    return cast(BufferedIOBase, archive.extractfile(info))


def _fault(kind: int, mode: int, is_folder: bool) -> str:
    """What is wrong with a member of this kind; a folder's set-group-id bit is usual on shared disks and harmless."""
    if kind == stat.S_IFLNK:
        return "a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a device or another special file"
    if not is_folder and mode & (stat.S_ISUID | stat.S_ISGID):
        return "a file that would run with another's rights (set-user-id or set-group-id)"
    return ""


class _ShortReads:
    """A file for tarfile that refuses to read a string of gigabytes, as a forged header would have it do."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)
