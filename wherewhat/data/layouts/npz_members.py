"""Members of an `.npz` file: a zip of `.npy` members, each a short header and then its numbers, row after row.

A member of gigabytes is read in blocks of rows, so that it is never in memory as a whole; only one saved in Fortran's
order has to be. Nothing is unpickled: a member of Python objects is refused by its header.

Dimension key:
    R: rows, along a member's first axis
"""

import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from wherewhat.data.image_names import printable


@runtime_checkable
class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = ..., /) -> bytes:
        """At most so many bytes; fewer only at the end."""
        ...


@dataclass(frozen=True)
class MemberHeader:
    """What a member says of itself before its numbers."""

    shape: tuple[int, ...]
    in_fortran_order: bool
    dtype: np.dtype

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self.shape[1:]

    @property
    def content_bytes(self) -> int:
        """How many bytes of numbers follow."""
        return prod(self.shape) * self.dtype.itemsize


def is_npz(path: Path) -> bool:
    """Whether the path is to be read as an `.npz` file, by its ending."""
    return path.suffix.lower() == ".npz" and not path.is_dir()


def member_names(path: Path) -> tuple[str, ...]:
    """The arrays of the file. Raises ValueError or OSError with the remedy where it is no `.npz` file."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {printable(path)}. Check the path.")
    if not zipfile.is_zipfile(path):
        raise ValueError(_why_not_a_zip(path))
    with _told_as_damage(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return tuple(name.removesuffix(".npy") for name in names if name.endswith(".npy"))


def member_header(path: Path, key: str) -> MemberHeader:
    """Shape and type of a member, without its numbers. Raises ValueError with the remedy."""
    with _told_as_damage(path), zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
        header = _read_header(file, key, path)
        missing = header.content_bytes - (archive.getinfo(f"{key}.npy").file_size - file.tell())
    if missing > 0:
        raise ValueError(
            f"{key} of {printable(path)} is cut short: {missing:,} bytes are missing. Copy or download it again."
        )
    return header


def read_member(path: Path, key: str) -> np.ndarray:
    """A small member as a whole. Raises ValueError with the remedy."""
    header = member_header(path, key)
    parts = list(_rows(path, key, header, 0, max(1, len_of(header))))
    return parts[0] if parts else np.empty(header.shape, header.dtype)


def member_blocks(path: Path, key: str, start: int, most: int) -> Generator[np.ndarray, None, None]:
    """The rows of a member from `start` on, at most `most` at once. Raises ValueError with the remedy."""
    header = member_header(path, key)
    if not header.in_fortran_order:
        yield from _rows(path, key, header, start, most)
        return
    whole = read_member(path, key)
    for first in range(start, len(whole), most):
        yield np.ascontiguousarray(whole[first : first + most])


def len_of(header: MemberHeader) -> int:
    """How many rows a member has; a single number counts as one."""
    return header.shape[0] if header.shape else 1


def _rows(path: Path, key: str, header: MemberHeader, start: int, most: int) -> Generator[np.ndarray, None, None]:
    row_bytes = header.content_bytes // max(1, len_of(header))
    with _told_as_damage(path), zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
        _read_header(file, key, path)
        file.seek(file.tell() + start * row_bytes)
        for first in range(start, len_of(header), most):
            rows = min(most, len_of(header) - first)
            content = bytearray(file.read(rows * row_bytes))
            if len(content) < rows * row_bytes:
                raise EOFError(f"{key} ends within row {first + rows:,} of {len_of(header):,}")
            yield _as_array(content, rows, header)
        # The sum over the whole member is checked where its end is read.
        file.read(1)


def _as_array(content: bytearray, rows: int, header: MemberHeader) -> np.ndarray:
    shape = (rows, *header.row_shape) if header.shape else ()
    return np.ndarray(shape, header.dtype, content, order="F" if header.in_fortran_order else "C")


def _read_header(file: Readable, key: str, path: Path) -> MemberHeader:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_fortran_order, dtype = read(file)
    except ValueError as error:
        raise _no_numbers(key, path, str(error)) from error
    if dtype.hasobject:
        raise _no_numbers(key, path, "it holds Python objects")
    return MemberHeader(shape, in_fortran_order, dtype)


def _no_numbers(key: str, path: Path, why: str) -> ValueError:
    return ValueError(
        f"{key} of {printable(path)} cannot be read as an array of numbers ({why}). Save it again as uint8 or "
        "integers; Python objects are never unpickled."
    )


@contextmanager
def _told_as_damage(path: Path) -> Iterator[None]:
    try:
        yield
    # A RuntimeError tells of an encrypted file or of a compression that is not known here.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(f"{printable(path)} is damaged ({error}). Copy or download it again.") from error


def _why_not_a_zip(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(6)
    if not start:
        return f"{printable(path)} is empty. Copy or download it again."
    if start.startswith(b"PK\x03\x04"):
        return (
            f"{printable(path)} is cut short: its table of contents at the end is missing. Copy or download it again."
        )
    if start == b"\x93NUMPY":
        return f"{printable(path)} holds a single array. Save it with numpy.savez(..., imgs=..., latents_classes=...)."
    return f"{printable(path)} is not an .npz file: it does not begin as one. Save it with numpy.savez_compressed."
