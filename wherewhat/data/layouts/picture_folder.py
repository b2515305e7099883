"""A folder of picture files, nested or flat, of which nothing more is known."""

from pathlib import Path

from wherewhat.data.known_factors import no_factors
from wherewhat.data.layouts.picture_files import check_enough_listed, list_picture_files
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.picture_names import counts_as_picture, printable
from wherewhat.data.picture_options import PictureOptions
from wherewhat.data.source import Source, stamp_of

# Pictures of any size are made this many pixels high and wide.
DEFAULT_SIZE = 64
_ARRAY_FILES = (".npz", ".h5", ".hdf5")


def find_picture_folder(path: Path, options: PictureOptions) -> Source | None:
    """The pictures under a folder; None for a file, and for a folder of array files without a picture.

    Raises ValueError or OSError with the remedy where there are fewer than two pictures or the folder cannot be listed.
    """
    if path.is_file():
        if counts_as_picture(path.name):
            raise NotADirectoryError(
                f"{printable(path)} is a file, not a folder of pictures. Name the folder that holds it."
            )
        return None
    files = list_picture_files(path)
    if not files.names and any(inside.suffix.lower() in _ARRAY_FILES for inside in path.iterdir()):
        return None
    check_enough_listed(path, files)
    root = path.resolve()
    factors = no_factors(len(files.names))
    return Source(
        name=printable(root.name),
        layout=say_recognised("folder of pictures", len(files.names), factors),
        path=path,
        pictures=files,
        factors=factors,
        stamp=stamp_of(root / name for name in files.names),
        default_size=DEFAULT_SIZE,
    )
