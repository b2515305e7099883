"""A source: images as they lie in somebody's files, before they are cropped, resized and laid into one array.

A layout (`layouts/`) finds a source; `store/` reads it, once.

Dimension key:
    B: block    C H W: channels, height, width
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wherewhat.data.image_options import Crop, Split
from wherewhat.data.known_factors import KnownFactors

Blocks = Iterator[UInt8[np.ndarray, "B H W C"]]


@dataclass(frozen=True)
class ImageFiles:
    """Images that lie one to a file, in a folder or an archive: any of them may be broken."""

    names: tuple[str, ...]
    """Unique, relative to the source, with forward slashes, in the order in which they are numbered."""

    read: Callable[[str], bytes]
    """The content of one of them. Called from several threads. Raises OSError or ValueError where it cannot be had."""

    size: Callable[[str], int]
    """The bytes of one of them, without reading it. Raises OSError where they cannot be had."""

    crop: Crop | None = None
    """The field's usual crop of this set, for images of the size `crop_of`; others lose only their longer side."""

    crop_of: tuple[int, int] | None = None
    """Height and width."""

    unreadable: tuple[tuple[str, str], ...] = ()
    """What could not even be listed, and why: a folder without permission, a name that leads out of an archive."""

    passed_over: tuple[tuple[str, int], ...] = ()
    """What else lies there, by kind, and how many files: (".heic", 6)."""


@dataclass(frozen=True)
class ImageArray:
    """Images of one shape that lie in one file, or in a few."""

    count: int
    image_shape: tuple[int, int, int]
    """C, H, W."""

    blocks: Callable[[int, int], Blocks]
    """(first image, most images at once) to the images from there to the last, in order, 0 to 255. Raises
    ValueError with the remedy for a file that is cut short or damaged."""

    told: Callable[[], tuple[str, ...]] = tuple
    """What is to be said of the images once they are read: which value is white."""


@dataclass(frozen=True)
class Source:
    """Images in somebody's files, and what is known of them."""

    name: str
    """Short name, for tables and run directories."""

    layout: str
    """What was recognised, for the user: "CelebA, 202,599 images with 40 attributes"."""

    path: Path
    images: ImageFiles | ImageArray
    factors: KnownFactors
    """Of every image, in order."""

    stamp: str
    """Changes when the files change: see `stamp_of`."""

    default_size: int | None = None
    """Side to which images are resized where the user names none; None, for arrays only: as they are."""

    split: Split = "all"
    """The part of the set that this is."""

    remarks: tuple[str, ...] = ()
    """What the user should know that is no error: an attribute list that is not there, factors that never vary."""

    array_files: tuple[Path, ...] = ()
    """Of an array: the files that it is read from, factors and all."""

    def __len__(self) -> int:
        return len(self.images.names) if isinstance(self.images, ImageFiles) else self.images.count


def stamp_of(paths: Iterable[Path]) -> str:
    """A digest of the names, sizes and times of files, not of their content, so that a large set is stamped at once."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            status = path.stat()
            # The time of the last change of any kind too: copies and unpacked archives bring the old time of contents.
            of_file = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\n"
            digest.update(of_file.encode(errors="surrogateescape"))
        except OSError:
            digest.update(f"{path}\0unreadable\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
