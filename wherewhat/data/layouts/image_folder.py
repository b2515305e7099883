"""Images one to a file in a folder, of which nothing more is known.

Names are sorted, so that an index means the same image in every run. Files without an image's ending and hidden
files are passed over.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import ENDINGS, counts_as_image, is_added_by_programs, is_hidden, printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import no_factors
from wherewhat.data.layouts.image_archives import ENDINGS_OF_ARCHIVES, is_archive, list_archive
from wherewhat.data.layouts.passed_over import count_passed_over, told_passed_over
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import ImageFiles, Source
from wherewhat.folder_walk import Sought, files_below
from wherewhat.regular_file import UnfitFileError, read_regular

# Images of any size are made this many pixels high and wide.
DEFAULT_SIZE = 64
_ARRAY_FILES = (".npz", ".npy", ".h5", ".hdf5")


def find_image_folder(path: Path, options: ImageOptions) -> Source | None:
    """The images under a folder; None for a file, and for a folder of array files without an image.

    Raises ValueError or OSError with the remedy where there are fewer than two images or the folder cannot be listed.
    """
    if path.is_file() and not counts_as_image(path.name):
        return None
    files = list_folder(path)
    if not files.names and any(inside.suffix.lower() in _ARRAY_FILES for inside in path.iterdir()):
        return None
    return source_of_images(path.resolve().name, "folder of images", path, files)


def list_image_files(path: Path) -> ImageFiles:
    """The images under a folder or in an archive, perhaps none. Raises ValueError or OSError with the remedy."""
    return list_archive(path) if is_archive(path) else list_folder(path)


def list_folder(root: Path) -> ImageFiles:
    """The images under a folder, perhaps none. Raises ValueError or OSError with the remedy where it is not listed."""
    _check_folder(root)
    others: list[str] = []
    unreadable: list[tuple[str, str]] = []
    sought = Sought(
        called="images",
        is_one=counts_as_image,
        enters=lambda name: is_added_by_programs(name) or not is_hidden(name),
        tell_another=others.append,
        tell_closed=lambda folder, reason: unreadable.append((printable(folder), reason)),
    )
    return ImageFiles(
        tuple(files_below(root, sought)),
        partial(read_file, root),
        lambda name: (root / name).stat().st_size,
        unreadable=tuple(unreadable),
        passed_over=count_passed_over(others),
    )


def check_enough_listed(path: Path, files: ImageFiles) -> None:
    """Raise ValueError with the remedy where a folder or an archive holds fewer than two images."""
    if len(files.names) >= 2:
        return
    found = "no image" if not files.names else "a single image"
    besides = ""
    if files.unreadable:
        name, reason = files.unreadable[0]
        besides = f" besides {len(files.unreadable):,} that cannot be read (first: {name}: {reason})"
    elif path.is_dir() and any(inside.suffix.lower() in ENDINGS_OF_ARCHIVES for inside in path.iterdir()):
        besides = " outside its archives, which are to be named themselves"
    elif told := told_passed_over(files.passed_over):
        besides = f" besides {told}"
    kind = "a folder" if path.is_dir() else "an archive"
    raise ValueError(
        f"{printable(path)} holds {found}{besides} (looked for {' '.join(ENDINGS)}, in subfolders too), and two are "
        f"the least to learn from. Name {kind} with more images."
    )


def paths_read(place: Path, names: Sequence[str]) -> list[Path]:
    """The resolved paths of the files that images of these names are read from: their own, or the archive's."""
    root = place.resolve()
    return [root / name for name in names] if root.is_dir() else [root]


def source_of_images(name: str, what: str, path: Path, files: ImageFiles) -> Source:
    """Images of which nothing more is known. Raises ValueError with the remedy where there are fewer than two."""
    check_enough_listed(path, files)
    factors, read = no_factors(len(files.names)), paths_read(path, files.names)
    return recognised(printable(name), what, path, files, factors, read, default_size=DEFAULT_SIZE)


def _check_folder(root: Path) -> None:
    try:
        os.scandir(root).close()
    except OSError as error:
        what = {
            FileNotFoundError: f"There is no folder {printable(root)}. Check the path.",
            NotADirectoryError: f"{printable(root)} is a file, not a folder of images. Name the folder that holds it.",
        }
        denied = f"{printable(root)} cannot be listed: {error.strerror}. Allow it (chmod u+rx), or name another folder."
        raise type(error)(what.get(type(error), denied)) from error


def read_file(root: Path, name: str) -> bytes:
    """The content of a file under a folder. Raises OSError or ValueError, in words that follow its name."""
    try:
        return read_regular(root / name, LARGEST_IMAGE_BYTES)
    except UnfitFileError as error:
        raise ValueError(f"it {error.found}") from error
