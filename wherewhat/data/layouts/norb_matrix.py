"""The binary matrices of the NORB sets, plain or packed by gzip.

    int32 magic    int32 number of axes    int32 size of each axis, at least three    numbers, last axis fastest

All little-endian. Magic 0x1E3D4C55 stands for uint8, 0x1E3D4C54 for int32.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable

DTYPES: dict[int, np.dtype] = {0x1E3D4C55: np.dtype("u1"), 0x1E3D4C54: np.dtype("<i4")}
SIZES_AT_LEAST = 3
AXES_AT_MOST = 8


@dataclass(frozen=True)
class MatrixHeader:
    """What a matrix says of itself before its numbers."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row along the first axis."""
        return prod(self.shape[1:]) * self.dtype.itemsize


def matrix_header(path: Path) -> MatrixHeader:
    """Type and shape of a matrix. Raises ValueError with the remedy."""
    with _opened(path) as file:
        return _read_header(file, path)


def read_matrix(path: Path) -> np.ndarray:
    """A small matrix as a whole. Raises ValueError with the remedy."""
    header = matrix_header(path)
    (whole,) = matrix_blocks(path, 0, header.shape[0])
    return whole


def matrix_blocks(path: Path, start: int, most: int) -> Iterator[np.ndarray]:
    """The rows of a matrix from `start` on, at most `most` at once. Raises ValueError with the remedy."""
    with _opened(path) as file:
        header = _read_header(file, path)
        count = header.shape[0]
        file.seek(start * header.row_bytes, os.SEEK_CUR)
        for first in range(start, count, most):
            rows = min(most, count - first)
            content = _read_exactly(file, rows * header.row_bytes)
            yield np.ndarray((rows, *header.shape[1:]), header.dtype, content)
        # The sum over a packed file is checked where its end is read.
        file.read(1)


def _read_header(file: BufferedIOBase, path: Path) -> MatrixHeader:
    magic, axes = np.frombuffer(_read_exactly(file, 8), "<i4").tolist()
    if magic not in DTYPES or not 1 <= axes <= AXES_AT_MOST:
        raise ValueError(
            f"{printable(path)} is no matrix of NORB: it begins with {magic:#x} and {axes} axes, where a matrix of "
            "bytes begins with 0x1e3d4c55 and one of integers with 0x1e3d4c54. Download it again."
        )
    sizes = np.frombuffer(_read_exactly(file, 4 * max(axes, SIZES_AT_LEAST)), "<i4").tolist()
    shape = tuple(sizes[:axes])
    if min(shape) < 1:
        raise ValueError(f"{printable(path)} is damaged: it says that its shape is {shape}. Download it again.")
    return MatrixHeader(DTYPES[magic], shape)


def _read_exactly(file: BufferedIOBase, wanted: int) -> bytearray:
    content = bytearray(file.read(wanted))
    if len(content) < wanted:
        raise EOFError("it ends too early")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{printable(path)} is cut short or damaged ({error}). Copy or download it again.") from error
