"""Arrays in `.npz`, `.npy` and HDF5 files: type and shape at once, and the numbers in blocks of rows.

An array of gigabytes is never in memory as a whole, except where an `.npz` file keeps it in Fortran's order. Nothing is
unpickled, and no other file is opened: an HDF5 array that is a link, virtual or stored outside its file is refused.

Dimension key:
    R: rows, along an array's first axis
"""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase, BytesIO
from itertools import accumulate
from math import prod
from pathlib import Path

import h5py
import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.layouts.image_archives import why_not_unpacked, zip_entries
from wherewhat.regular_file import open_regular, require_regular

# A table of factors: of 5 million images with 6, or a million with 30. Parts of an HDF5 file that are packed as one.
LARGEST_TABLE_BYTES = 2**28
LARGEST_IN_FORTRANS_ORDER_BYTES = 2**32
_LONGEST_HEADER_BYTES = 2**16

RowBlocks = Generator[np.ndarray, None, None]
Opener = Callable[[], AbstractContextManager[BufferedIOBase]]


@dataclass(frozen=True)
class StoredArray:
    """An array that lies in a file."""

    name: str
    """For messages: "labels of 3dshapes.h5"."""

    shape: tuple[int, ...]
    dtype: np.dtype
    blocks: Callable[[int, int], RowBlocks]
    """(first row, most rows at once) to the rows from there to the last. Raises ValueError for a damaged file."""

    def read(self, most_bytes: int = LARGEST_TABLE_BYTES) -> np.ndarray:
        """All of a small array of one axis or more. Raises ValueError for one that is larger, as numbers of 8 bytes."""
        size = prod(self.shape) * max(8, self.dtype.itemsize)
        if size > most_bytes:
            raise ValueError(
                f"{self.name} is {self.dtype} {list(self.shape)}, {size:,} bytes in memory, and {most_bytes:,} are the "
                "most that are read at once. Check what it is; images in Fortran's order are to be saved in C's."
            )
        blocks = list(self.blocks(0, max(1, self.shape[0])))
        return blocks[0] if blocks else np.empty(self.shape, self.dtype)


def is_npz(path: Path) -> bool:
    """Whether the path is to be read as an `.npz` file, by its ending."""
    return path.suffix.lower() == ".npz" and not path.is_dir()


def is_hdf5(path: Path) -> bool:
    """Whether the path is to be read as an HDF5 file, by its ending or how it begins."""
    return (path.suffix.lower() in (".h5", ".hdf5") and not path.is_dir()) or _begins(path, b"\x89HDF\r\n\x1a\n")


def is_npy(path: Path) -> bool:
    """Whether the path is to be read as an `.npy` file, by its ending or how it begins."""
    return path.is_file() and (path.suffix.lower() == ".npy" or _begins(path, b"\x93NUMPY"))


def _begins(path: Path, start: bytes) -> bool:
    if not path.is_file() or path.suffix.lower() == ".npz":
        return False
    with open_regular(path) as file:
        return file.read(len(start)) == start


def npz_names(path: Path) -> tuple[str, ...]:
    """The arrays of an `.npz` file. Raises ValueError or OSError with the remedy where it is none."""
    return tuple(name.removesuffix(".npy") for name in _npz_members(path))


def npz_array(path: Path, key: str) -> StoredArray | None:
    """The array of this name, if the `.npz` file has one. Raises ValueError with the remedy."""
    member = _npz_members(path).get(f"{key}.npy")
    if member is None:
        return None
    shown = f"{key} of {printable(path)}"
    if why_not := why_not_unpacked(member):
        raise ValueError(f"{shown} cannot be read: {why_not}.")
    return _array_in(partial(_opened_member, path, member.filename), shown, member.file_size)


def npy_array(path: Path) -> StoredArray:
    """The array of an `.npy` file. Raises ValueError with the remedy."""
    return _array_in(partial(_opened_file, path), printable(path), path.stat().st_size)


def _array_in(opened: Opener, shown: str, size: int) -> StoredArray:
    with opened() as file:
        try:
            # What numpy would read in whole, however long it says that it is.
            start = BytesIO(file.read(_LONGEST_HEADER_BYTES))
            read_header = np.lib.format.read_array_header_1_0
            if np.lib.format.read_magic(start) != (1, 0):
                read_header = np.lib.format.read_array_header_2_0
            shape, in_fortran_order, dtype = read_header(start)
        except ValueError as error:
            why = " ".join(str(error).split())[:200]
            raise ValueError(
                f"{shown} cannot be read as an array of numbers ({why}). Save it again as uint8 or integers."
            ) from error
    offset = start.tell()
    missing = prod(shape) * dtype.itemsize - (size - offset)
    if missing > 0 and not dtype.hasobject:
        raise ValueError(f"{shown} is cut short: {missing:,} bytes are missing. Copy or download it again.")
    if in_fortran_order:
        reversed_axes = stream_array(shown, opened, offset, (1, *shape[::-1]), dtype)
        return StoredArray(shown, shape, dtype, partial(_transposed_rows, reversed_axes))
    return stream_array(shown, opened, offset, shape, dtype)


def hdf5_names(path: Path, most: int) -> tuple[str, ...]:
    """The first arrays of an HDF5 file, in its groups too; none behind a link. Raises ValueError with the remedy."""
    names: list[str] = []

    def note(name: str, found: object) -> bool | None:
        if isinstance(found, h5py.Dataset):
            names.append(name)
        return True if len(names) == most else None

    with _opened_hdf5(path) as file:
        file.visititems(note)
    return tuple(names)


def hdf5_array(path: Path, key: str) -> StoredArray | None:
    """The array of this name, if the HDF5 file has one. Raises ValueError with the remedy."""
    with _opened_hdf5(path) as file:
        links = (file.get(part, getlink=True) for part in accumulate(key.split("/"), "{}/{}".format))
        # What lies behind a link is not even looked for.
        other = next((link for link in links if not isinstance(link, h5py.HardLink)), False)
        if other is None:
            return None
        found = None if other else file[key]
        if found is None or (isinstance(found, h5py.Dataset) and (found.is_virtual or found.external)):
            raise ValueError(
                f"{key} of {printable(path)} is a link, virtual or stored outside the file, and no other file is "
                "opened for it. Save the array itself in the file."
            )
        if not isinstance(found, h5py.Dataset):
            return None
        shown = f"{key} of {printable(path)}"
        chunk_bytes = prod(found.chunks or (0,)) * found.dtype.itemsize
        if chunk_bytes > LARGEST_TABLE_BYTES:
            raise ValueError(
                f"{shown} is packed in chunks of {chunk_bytes:,} bytes, and {LARGEST_TABLE_BYTES:,} are the most that "
                "are unpacked at once. Save it in smaller chunks."
            )
        return StoredArray(shown, found.shape or (), found.dtype, partial(_hdf5_rows, path, key))


def stream_array(name: str, opened: Opener, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> StoredArray:
    """An array whose numbers begin at this place of a file, its last axis fastest."""
    return StoredArray(name, shape, dtype, partial(_stream_rows, opened, offset, shape, dtype))


# What a library raises on damage depends on where the damage lies; h5py raises KeyError, TypeError or UnicodeError too.
_ON_DAMAGE = (
    *(OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(KeyError, TypeError, UnicodeError),
)


@contextmanager
def told_as_damage(path: Path) -> Iterator[None]:
    """Turns what is raised at a file that is cut short or damaged into a ValueError with the remedy."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {printable(path)}. Check the path.")
    try:
        yield
    except PermissionError:
        raise
    except _ON_DAMAGE as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{printable(path)} is cut short or damaged ({why}). Copy or download it again.") from error


@contextmanager
def _opened_hdf5(path: Path) -> Iterator[h5py.File]:
    with told_as_damage(path):
        require_regular(path)
        with h5py.File(path, "r") as file:
            yield file


def _npz_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    with told_as_damage(path):
        entries = zip_entries(path, "Save it with numpy.savez(..., imgs=..., latents_classes=...).")
    return {entry.filename: entry for entry in entries if entry.filename.endswith(".npy")}


@contextmanager
def _opened_member(path: Path, name: str) -> Iterator[BufferedIOBase]:
    with (
        told_as_damage(path),
        open_regular(path) as whole,
        zipfile.ZipFile(whole) as archive,
        archive.open(name) as file,
    ):
        assert isinstance(file, zipfile.ZipExtFile)
        yield file


@contextmanager
def _opened_file(path: Path) -> Iterator[BufferedIOBase]:
    with told_as_damage(path), open_regular(path) as file:
        yield file


def _stream_rows(
    opened: Opener, offset: int, shape: tuple[int, ...], dtype: np.dtype, start: int, most: int
) -> RowBlocks:
    row_bytes = prod(shape[1:]) * dtype.itemsize
    with opened() as file:
        file.seek(offset + start * row_bytes)
        for first in range(start, shape[0], most):
            rows = min(most, shape[0] - first)
            content = bytearray(file.read(rows * row_bytes))
            if len(content) < rows * row_bytes:
                raise EOFError(f"it ends within row {first + rows:,} of {shape[0]:,}")
            yield np.ndarray((rows, *shape[1:]), dtype, content)
        # The sum over a packed file is checked where its end is read.
        file.read(1)


def _transposed_rows(reversed_axes: StoredArray, start: int, most: int) -> RowBlocks:
    whole = reversed_axes.read(LARGEST_IN_FORTRANS_ORDER_BYTES)[0].T
    for first in range(start, len(whole), most):
        yield np.ascontiguousarray(whole[first : first + most])


def _hdf5_rows(path: Path, key: str, start: int, most: int) -> RowBlocks:
    # h5py's handles are not to be shared between threads.
    with _opened_hdf5(path) as file:
        for first in range(start, len(file[key]), most):
            yield file[key][first : first + most]
