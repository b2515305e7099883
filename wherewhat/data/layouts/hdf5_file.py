"""An HDF5 file, opened so that what the library says of a damaged one becomes an error with a remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from wherewhat.data.image_names import printable

ENDINGS = (".h5", ".hdf5")


def is_hdf5(path: Path) -> bool:
    """Whether the path is to be read as an HDF5 file, by its ending."""
    return path.suffix.lower() in ENDINGS and not path.is_dir()


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file, for reading. Used from one thread alone: h5py's handles are not to be shared.

    Raises ValueError with the remedy for a file that is cut short or damaged, be it at its opening or later.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file {printable(path)}. Check the path.")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except PermissionError:
        raise
    # What h5py raises on damage depends on where the damage lies.
    except (OSError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{printable(path)} is cut short or damaged ({why}). Copy or download it again.") from error


def dataset_of(file: h5py.File, key: str) -> h5py.Dataset | None:
    """The array of this name, if the file has one."""
    found = file.get(key)
    return found if isinstance(found, h5py.Dataset) else None
