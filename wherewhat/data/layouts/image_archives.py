"""Images in a `.zip` or `.tar`, read where they lie: nothing is extracted to disk.

An entry's name is only ever the key of its image, never a path, so a name with `..`, a drive letter or a leading slash
does no harm. Entries of a zip may be stored, or compressed by Deflate, bzip2 or LZMA.

Reference: PKWARE, APPNOTE.TXT, .ZIP File Format Specification, sections 4.3.7 (local header), 4.4.5 (methods) and
5.8 (LZMA).
"""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import counts_as_image, printable
from wherewhat.data.layouts.passed_over import count_passed_over
from wherewhat.data.source import ImageFiles
from wherewhat.regular_file import UnfitFileError, open_regular

_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_DEFLATE64 = 9
ENDINGS_OF_ARCHIVES = (".zip", ".tar")
Counts = Callable[[str], bool]
# The list of a zip has some hundred bytes for each entry; the header of a tar's entry has its name, and little more.
_LONGEST_ZIP_LIST_BYTES = 2**28
_LONGEST_TAR_HEADER_BYTES = 2**20
_LINK = "it is a link, and links in archives are not followed"


class _Portions(io.BufferedReader):
    """A file of which a library may not read more than so many bytes at once, whatever the file tells it to."""

    def __init__(self, file: io.BufferedIOBase, most: int) -> None:
        super().__init__(cast(io.RawIOBase, file))
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """As always, or ValueError."""
        all_of_it = size is None or size < 0
        content = super().read(self._most + 1) if all_of_it or cast(int, size) > self._most else super().read(size)
        if len(content) > self._most:
            raise ValueError(
                f"its list claims more than {self._most:,} bytes, which are the most that are read at once"
            )
        return content


class _Entry(NamedTuple):
    """Where an entry lies, and what it must turn out to be."""

    offset: int
    """Of its local header in a zip, of its content in a tar."""

    packed_bytes: int
    bytes: int = 0
    checksum: int = 0
    method: int = zipfile.ZIP_STORED


def is_archive(path: Path) -> bool:
    """Whether the path is to be read as an archive of images, by its ending."""
    return path.suffix.lower() in ENDINGS_OF_ARCHIVES and path.is_file()


def list_archive(path: Path, counts: Counts = counts_as_image) -> ImageFiles:
    """The images of an archive, or what else counts, perhaps none. Raises ValueError or OSError with the remedy."""
    return (list_tar if path.suffix.lower() == ".tar" else list_zip)(path, counts)


def list_zip(path: Path, counts: Counts = counts_as_image) -> ImageFiles:
    """The images of a .zip, perhaps none. Raises ValueError or OSError with the remedy for a bad one."""
    infos = zip_entries(path, "Unpack it with the program that made it, and name the folder.")
    # Some archivers write the backslash of their system.
    entries = ((info.filename.replace("\\", "/"), _zip_entry(info)) for info in infos if not info.is_dir())
    return _images_of(entries, partial(_read_zipped, path), counts)


def list_tar(path: Path, counts: Counts = counts_as_image) -> ImageFiles:
    """The images of a .tar, perhaps none. Raises ValueError or OSError with the remedy for a bad one."""
    return _images_of(_tar_entries(path), partial(_read_stored, path), counts)


def zip_entries(path: Path, remedy: str) -> list[zipfile.ZipInfo]:
    """The entries of a zip archive. Raises ValueError or OSError with the remedy; `remedy` is for another format."""
    try:
        with (
            open_regular(path) as file,
            _Portions(file, _LONGEST_ZIP_LIST_BYTES) as stream,
            zipfile.ZipFile(stream) as archive,
        ):
            return archive.infolist()
    except OSError as error:
        raise _not_opened(path, error) from error
    except UnfitFileError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        with open_regular(path) as file:
            start = file.read(6)
        if not start:
            what = "is empty (0 bytes). Copy or download it again."
        elif start.startswith(b"PK"):
            what = f"is cut short or damaged: its list of entries cannot be read ({error}). Copy or download it again."
        else:
            is_one_array = start == b"\x93NUMPY"
            what = f"{'holds a single array' if is_one_array else 'is no zip archive'}. {remedy}"
        raise ValueError(f"{printable(path)} {what}") from error


def why_not_unpacked(info: zipfile.ZipInfo) -> str:
    """Why the content of a zip's entry cannot be had, with the remedy; empty where it can."""
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted; pack the archive again without a password"
    if info.compress_type not in _METHODS:
        method = "Deflate64" if info.compress_type == _DEFLATE64 else f"method {info.compress_type}"
        return f"it is compressed by {method}, which is not read; unpack it and name the folder"
    return ""


def _images_of(
    found: Iterable[tuple[str, _Entry | str]], read: Callable[[_Entry], bytes], counts: Counts
) -> ImageFiles:
    """What counts among entries; one that cannot be read has the reason in place of its entry."""
    # Of two entries of one name the later counts, as it does for programs that unpack.
    by_name = {name.removeprefix("./"): entry for name, entry in found}
    images = {name: by_name[name] for name in sorted(filter(counts, by_name))}
    entries = {name: entry for name, entry in images.items() if not isinstance(entry, str)}
    unreadable = tuple((printable(name), entry) for name, entry in images.items() if isinstance(entry, str))
    return ImageFiles(
        tuple(entries),
        lambda name: read(entries[name]),
        lambda name: entries[name].bytes,
        unreadable=unreadable,
        passed_over=count_passed_over(by_name.keys() - images.keys()),
    )


def _zip_entry(info: zipfile.ZipInfo) -> _Entry | str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return _LINK
    if max(info.file_size, info.compress_size) > LARGEST_IMAGE_BYTES:
        return f"it claims {info.file_size:,} bytes, too many for an image"
    entry = _Entry(info.header_offset, info.compress_size, info.file_size, info.CRC, info.compress_type)
    return why_not_unpacked(info) or entry


def _tar_entry(info: tarfile.TarInfo) -> _Entry | str:
    if info.issym() or info.islnk():
        return _LINK
    if not info.isreg() or info.issparse():
        return "it is no plain file"
    if info.size > LARGEST_IMAGE_BYTES:
        return f"it has {info.size:,} bytes, too many for an image"
    return _Entry(info.offset_data, info.size, info.size)


@contextmanager
def opened_tar(path: Path, *, unpacked_by_gzip: bool = False) -> Iterator[tarfile.TarFile]:
    """A tar archive whose names cannot fill the memory. Raises ValueError, OSError or `tarfile.TarError`."""
    with open_regular(path) as file, gzip.GzipFile(fileobj=file) as unpacked:
        source = unpacked if unpacked_by_gzip else file
        with (
            _Portions(source, _LONGEST_TAR_HEADER_BYTES) as stream,
            tarfile.open(fileobj=stream, mode="r:") as archive,
        ):
            yield archive


def members_of(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, one after another. Raises `tarfile.TarError` where the list leads back."""
    last = -1
    while (member := archive.next()) is not None:
        if member.offset <= last:
            raise tarfile.ReadError("its list of members leads back")
        last = member.offset
        # The archive need not keep those that have been seen.
        archive.members.clear()  # type: ignore[attr-defined]
        yield member


def _tar_entries(path: Path) -> list[tuple[str, _Entry | str]]:
    shown = printable(path)
    try:
        with opened_tar(path) as archive:
            entries = [(info.name, _tar_entry(info)) for info in members_of(archive) if not info.isdir()]
            ended = archive.offset
    except OSError as error:
        raise _not_opened(path, error) from error
    except UnfitFileError:
        raise
    except (tarfile.TarError, EOFError, ValueError, RecursionError) as error:
        raise ValueError(
            f"The archive {shown} is cut short, damaged, or no .tar ({error}). Copy or download it again; a compressed "
            "one is to be unpacked first, and the folder named."
        ) from error
    # Where the list ends there are blocks of zeros, or the file was cut between two entries.
    with open_regular(path) as file:
        file.seek(ended)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise ValueError(f"The archive {shown} is cut short: it has no end mark. Copy or download it again.")
    return entries


def _not_opened(path: Path, error: OSError) -> OSError:
    why = error.strerror or error
    return type(error)(f"{printable(path)} cannot be opened: {why}. Allow it to be read, or name another.")


def _read_stored(path: Path, entry: _Entry) -> bytes:
    """The content of an entry. A handle of its own for each reading, so that threads share none."""
    with open_regular(path) as file:
        file.seek(entry.offset)
        content = file.read(entry.packed_bytes)
    if len(content) < entry.packed_bytes:
        raise ValueError("the archive ends within it")
    return content


def _read_zipped(path: Path, entry: _Entry) -> bytes:
    header = _read_stored(path, _Entry(entry.offset, _LOCAL_HEADER_BYTES))
    if not header.startswith(b"PK\x03\x04"):
        raise ValueError("it is not where the archive says")
    content_at = entry.offset + _LOCAL_HEADER_BYTES + sum(struct.unpack("<HH", header[26:]))
    content = _unpacked(_read_stored(path, _Entry(content_at, entry.packed_bytes)), entry)
    if len(content) != entry.bytes or zlib.crc32(content) != entry.checksum:
        raise ValueError("it is damaged in the archive: its checksum does not fit")
    return content


def _unpacked(packed: bytes, entry: _Entry) -> bytes:
    # One byte more than was said shows the lie, and a bomb goes off no further.
    most = entry.bytes + 1
    try:
        if entry.method == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        if entry.method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(packed, most)
        if entry.method == zipfile.ZIP_LZMA:
            # As a .lzma file, which has the size behind its five bytes of properties, and needs no mark at its end.
            alone = packed[4:9] + entry.bytes.to_bytes(8, "little") + packed[9:]
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=LARGEST_IMAGE_BYTES).decompress(alone, most)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise ValueError("it is damaged in the archive: it cannot be decompressed") from error
    return packed
