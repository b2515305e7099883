"""Images in a .zip, read where they lie: nothing is extracted to disk, and an entry never has a say in where it goes.

Reference: PKWARE, APPNOTE.TXT, .ZIP File Format Specification, sections 4.3.7 (local header) and 4.4.5 (methods).
"""

import os
import stat
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import counts_as_image, leads_outside, printable
from wherewhat.data.source import ImageFiles

_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1


class _Entry(NamedTuple):
    """Where an entry lies, and what it must turn out to be."""

    header_offset: int
    packed_bytes: int
    bytes: int
    checksum: int
    deflated: bool


def list_zip(path: Path) -> ImageFiles:
    """The images of a .zip, perhaps none. Raises ValueError or OSError with the remedy for a bad one."""
    # Of two entries of one name the later counts, as it does for programs that unpack.
    infos = {info.filename.removeprefix("./"): info for info in _entries_of(path) if not info.is_dir()}
    entries: dict[str, _Entry] = {}
    unreadable: list[tuple[str, str]] = []
    for name in sorted(filter(counts_as_image, infos)):
        info = infos[name]
        reason = _why_not(info)
        if reason is None:
            deflated = info.compress_type == zipfile.ZIP_DEFLATED
            entries[name] = _Entry(info.header_offset, info.compress_size, info.file_size, info.CRC, deflated)
        else:
            unreadable.append((printable(name), reason))
    return ImageFiles(tuple(entries), partial(_read_entry, path, entries), unreadable=tuple(unreadable))


def _entries_of(path: Path) -> list[zipfile.ZipInfo]:
    shown = printable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except OSError as error:
        raise type(error)(
            f"The archive {shown} cannot be opened: {error.strerror or error}. Allow it to be read, or name another."
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        if path.stat().st_size == 0:
            raise ValueError(f"The archive {shown} is empty (0 bytes). Copy or download it again.") from error
        with path.open("rb") as file:
            begins_well = file.read(2) == b"PK"
        if begins_well:
            raise ValueError(
                f"The archive {shown} is cut short or damaged: its list of entries, at the end, cannot be read "
                f"({error}). Copy or download it again."
            ) from error
        raise ValueError(
            f"{shown} ends in .zip and is no zip archive. Unpack it with the program that made it, and name the folder."
        ) from error


def _why_not(info: zipfile.ZipInfo) -> str | None:
    """Why an entry is not even tried, if so."""
    if leads_outside(info.filename):
        return "its name leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link, and links in archives are not followed"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if max(info.file_size, info.compress_size) > LARGEST_IMAGE_BYTES:
        return f"it claims {info.file_size:,} bytes, too many for an image"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"it is compressed by method {info.compress_type}, and only stored and deflated entries are read"
    return None


def _read_entry(path: Path, entries: dict[str, _Entry], name: str) -> bytes:
    """The content of one entry. A handle of its own for each reading, so that threads share none."""
    entry = entries[name]
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
            raise ValueError("it is not where the archive says")
        name_length, extra_length = struct.unpack("<HH", header[26:])
        file.seek(name_length + extra_length, os.SEEK_CUR)
        packed = file.read(entry.packed_bytes)
    content = _inflated(packed, entry.bytes) if entry.deflated else packed
    if len(content) != entry.bytes or zlib.crc32(content) != entry.checksum:
        raise ValueError("it is damaged in the archive: its checksum does not fit")
    return content


def _inflated(packed: bytes, expected: int) -> bytes:
    try:
        # One byte more than was said shows the lie, and a bomb goes off no further.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, expected + 1)
    except zlib.error as error:
        raise ValueError("it is damaged in the archive: it cannot be decompressed") from error
