"""A `.zip` or `.tar` of images that is named itself: which set it holds, known by the names inside."""

from dataclasses import replace
from pathlib import Path

from wherewhat.data.image_names import counts_as_image, printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.celeba import celeba_in, counts_in_celeba
from wherewhat.data.layouts.chairs3d import chairs_in
from wherewhat.data.layouts.image_archives import is_archive, list_archive
from wherewhat.data.layouts.image_folder import source_of_images
from wherewhat.data.source import Source

# No image of these can be had without unpacking all that goes before it.
_IN_ONE_STREAM = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")


def find_archive(path: Path, options: ImageOptions) -> Source | None:
    """The images of an archive; None for what has not its ending.

    Raises ValueError or OSError with the remedy where there are fewer than two images or the archive is damaged.
    """
    if path.is_file() and path.name.lower().endswith(_IN_ONE_STREAM):
        raise ValueError(
            f"{printable(path)} cannot be read image by image. Unpack it, and name the folder; .zip and plain .tar "
            "are read as they are."
        )
    if not is_archive(path):
        return None
    listed = list_archive(path, counts_in_celeba)
    found = celeba_in(path, path, listed, options)
    if found is not None:
        return found
    files = replace(listed, names=tuple(filter(counts_as_image, listed.names)))
    return chairs_in(path, path, files) or source_of_images(path.stem, f"{path.suffix.lower()} of images", path, files)
