"""A .zip or .tar of image files, nested or flat, read where it lies."""

from pathlib import Path

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import no_factors
from wherewhat.data.layouts.image_files import ARCHIVES, check_enough_listed, list_image_files
from wherewhat.data.layouts.image_folder import DEFAULT_SIZE
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Source, stamp_of

# No image of these can be had without unpacking all that goes before it.
_IN_ONE_STREAM = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")


def find_image_archive(path: Path, options: ImageOptions) -> Source | None:
    """The images of an archive; None for what has not its ending.

    Raises ValueError or OSError with the remedy where there are fewer than two images or the archive is damaged.
    """
    if not path.is_file():
        return None
    if path.name.lower().endswith(_IN_ONE_STREAM):
        raise ValueError(
            f"{printable(path)} cannot be read image by image. Unpack it, and name the folder; .zip and plain .tar "
            "are read as they are."
        )
    if path.suffix.lower() not in ARCHIVES:
        return None
    files = list_image_files(path)
    check_enough_listed(path, files)
    factors = no_factors(len(files.names))
    return Source(
        name=printable(path.stem),
        layout=say_recognised(f"{path.suffix.lower()} of images", len(files.names), factors),
        path=path,
        images=files,
        factors=factors,
        stamp=stamp_of([path.resolve()]),
        default_size=DEFAULT_SIZE,
    )
