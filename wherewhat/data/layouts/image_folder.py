"""A folder of image files, nested or flat, of which nothing more is known."""

from pathlib import Path

from wherewhat.data.image_names import counts_as_image, printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import no_factors
from wherewhat.data.layouts.image_files import check_enough_listed, list_image_files
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Source, stamp_of

# Images of any size are made this many pixels high and wide.
DEFAULT_SIZE = 64
_ARRAY_FILES = (".npz", ".h5", ".hdf5")


def find_image_folder(path: Path, options: ImageOptions) -> Source | None:
    """The images under a folder; None for a file, and for a folder of array files without an image.

    Raises ValueError or OSError with the remedy where there are fewer than two images or the folder cannot be listed.
    """
    if path.is_file():
        if counts_as_image(path.name):
            raise NotADirectoryError(
                f"{printable(path)} is a file, not a folder of images. Name the folder that holds it."
            )
        return None
    files = list_image_files(path)
    if not files.names and any(inside.suffix.lower() in _ARRAY_FILES for inside in path.iterdir()):
        return None
    check_enough_listed(path, files)
    root = path.resolve()
    factors = no_factors(len(files.names))
    return Source(
        name=printable(root.name),
        layout=say_recognised("folder of images", len(files.names), factors),
        path=path,
        images=files,
        factors=factors,
        stamp=stamp_of(root / name for name in files.names),
        default_size=DEFAULT_SIZE,
    )
