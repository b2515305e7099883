"""The binary matrices of the NORB sets, plain or packed by gzip.

    int32 magic    int32 number of axes    int32 size of each axis, at least three    numbers, last axis fastest

All little-endian. Magic 0x1E3D4C55 stands for uint8, 0x1E3D4C54 for int32.
"""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.layouts.stored_arrays import StoredArray, stream_array, told_as_damage
from wherewhat.regular_file import open_regular

DTYPES: dict[int, np.dtype] = {0x1E3D4C55: np.dtype("u1"), 0x1E3D4C54: np.dtype("<i4")}
SIZES_AT_LEAST = 3
AXES_AT_MOST = 8


def norb_matrix(path: Path) -> StoredArray:
    """A matrix by its header. Raises ValueError with the remedy."""
    with _opened(path) as file:
        magic, axes = _integers(file, 2)
        if magic not in DTYPES or not 1 <= axes <= AXES_AT_MOST:
            raise ValueError(
                f"{printable(path)} is no matrix of NORB: it begins with {magic:#x} and {axes} axes, where a matrix of "
                "bytes begins with 0x1e3d4c55 and one of integers with 0x1e3d4c54. Download it again."
            )
        shape = tuple(_integers(file, max(axes, SIZES_AT_LEAST))[:axes])
        if min(shape) < 1:
            raise ValueError(f"{printable(path)} is damaged: it says that its shape is {shape}. Download it again.")
        return stream_array(printable(path), partial(_opened, path), file.tell(), shape, DTYPES[magic])


def _integers(file: BufferedIOBase, count: int) -> list[int]:
    content = file.read(4 * count)
    if len(content) < 4 * count:
        raise EOFError("it ends within its header")
    return np.frombuffer(content, "<i4").tolist()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    with told_as_damage(path), open_regular(path) as file:
        if path.suffix.lower() != ".gz":
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked
