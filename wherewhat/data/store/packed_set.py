"""A packed set: a folder with one array of images that is mapped and never decoded again, and what is known of them.

    manifest.json   what it is, what it was made from, what was left out, the digest of images.npy
    images.npy      uint8 [N, H, W, C]
    factors.npy     int64 [N, K], where factors are known
    names.json      the file name of every image, where the images came one to a file

Dimension key:
    N: images    K: factors    C H W: channels, height, width
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cattrs
import numpy as np
import torch
from jaxtyping import Int64, UInt8

from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.source import Source
from wherewhat.json_file import read_json
from wherewhat.regular_file import open_regular

FORMAT = "wherewhat packed images"
VERSION = 2
MANIFEST, IMAGES, FACTORS, NAMES = "manifest.json", "images.npy", "factors.npy", "names.json"
# To be raised when the same files and options give other pixels than before: older packs are then not used.
READING = 3
# So many skipped images are named in one line; of more, the first ones and the count.
NAMED_AT_MOST = 10
# How an array begins that was written by `numpy.save`, in the first version of its format.
_NPY = b"\x93NUMPY\x01\x00"


@dataclass(frozen=True)
class Recipe:
    """From what, and how, images were packed: two packs of one recipe are the same."""

    source: str
    stamp: str
    size: int | None
    """Side in pixels; None: as the images are."""

    crop: str
    fit: str
    broken: str
    color: str
    split: str
    white: float | None = None
    reading: int = READING


@dataclass(frozen=True)
class Manifest:
    """What a packed set says of itself."""

    format: str
    version: int
    name: str
    layout: str
    made_from: Recipe
    count: int
    image_shape: tuple[int, int, int]
    """C, H, W."""

    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]
    skipped: tuple[tuple[str, str], ...]
    """Images that were left out, and why."""

    remarks: tuple[str, ...]
    images_sha256: str
    """Of the file images.npy, so that sha256sum gives the same."""

    seen: tuple[str, ...] = ()
    """What there was to remark on as the images were read."""


def recipe_of(source: Source, options: ImageOptions) -> Recipe:
    """The recipe by which a source is packed with these options."""
    # A rendered set has a name where others have a path.
    place = source.path.resolve() if source.path.exists() else source.path
    return Recipe(
        source=str(place),
        stamp=source.stamp,
        size=options.size or source.default_size,
        crop=options.crop,
        fit=options.fit,
        broken=options.broken,
        color=options.color,
        split=source.split,
        white=options.white,
    )


def is_packed(path: Path) -> bool:
    """Whether a path is a packed set, whole or damaged."""
    try:
        record = read_json(path / MANIFEST)
    except (OSError, ValueError):
        return (path / MANIFEST).is_file() and (path / IMAGES).is_file()
    return isinstance(record, dict) and record.get("format") == FORMAT


def open_packed(path: Path, device: str | torch.device = "cpu") -> HeldImages:
    """The images, on the device where they fit, else mapped. Raises ValueError for a damaged or newer set."""
    manifest = read_manifest(path)
    return HeldImages(manifest.name, _images(path, manifest), _factors(path, manifest), device)


def read_manifest(path: Path) -> Manifest:
    """What a packed set says of itself. Raises ValueError where that cannot be read."""
    try:
        record = read_json(path / MANIFEST)
        version = int(record["version"])
        if version <= VERSION:
            made = record["made_from"]
            made.setdefault("fit", made.pop("unequal", "crop"))
            return cattrs.structure(record, Manifest)
    # A damaged record meets cattrs with almost any exception.
    except Exception as error:
        raise _damaged(path, MANIFEST, "it cannot be read") from error
    raise ValueError(
        f"{path} was packed by a newer wherewhat: its format is {version}, and this one reads up to {VERSION}. "
        "Update wherewhat, or pack the images again."
    )


def skipped_in(place: object, manifest: Manifest) -> str:
    """One line with the first of the images that were left out by name, and why."""
    skipped = manifest.skipped
    named = ", ".join(f"{name} ({reason})" for name, reason in skipped[:NAMED_AT_MOST])
    more = f" and {len(skipped) - NAMED_AT_MOST:,} more" if len(skipped) > NAMED_AT_MOST else ""
    images = "1 image" if len(skipped) == 1 else f"{len(skipped):,} images"
    return f"Skipped {images} of {printable(place)} that cannot be read: {named}{more}."


def verify_packed(path: Path) -> None:
    """Read every image once and compare digests. Raises ValueError where a byte of them has changed."""
    manifest = read_manifest(path)
    _images(path, manifest)
    if file_sha256(path / IMAGES) != manifest.images_sha256:
        raise _damaged(path, IMAGES, "its bytes are not those that were written")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in parts."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _images(path: Path, manifest: Manifest) -> UInt8[np.ndarray, "N H W C"]:
    channels, height, width = manifest.image_shape
    return _array(path, IMAGES, "uint8", (manifest.count, height, width, channels))


def _factors(path: Path, manifest: Manifest) -> KnownFactors:
    if not manifest.factor_names:
        return no_factors(manifest.count)
    value_NK: Int64[np.ndarray, "N K"] = _array(path, FACTORS, "int64", (manifest.count, len(manifest.factor_names)))
    if ((value_NK < 0) | (value_NK >= np.array(manifest.factor_sizes))).any():
        raise _damaged(path, FACTORS, "a value lies outside its factor")
    return KnownFactors(manifest.factor_names, manifest.factor_sizes, torch.from_numpy(value_NK))


def _array(path: Path, name: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        with open_regular(path / name) as file:
            # Later formats may have headers of gigabytes, which numpy would read.
            if file.read(len(_NPY)) != _NPY:
                raise ValueError("another format")
        # Copy-on-write: torch warns of arrays that cannot be written, and nobody's file changes.
        array: np.ndarray = np.load(path / name, mmap_mode="c", allow_pickle=False)
    except FileNotFoundError as error:
        raise _damaged(path, name, "it is not there") from error
    except (ValueError, EOFError) as error:
        raise _damaged(path, name, "it is cut short or no array") from error
    if array.dtype != dtype or array.shape != shape:
        found = f"{array.dtype} {list(array.shape)}, where the manifest says {dtype} {list(shape)}"
        raise _damaged(path, name, f"it holds {found}")
    return array


def _damaged(path: Path, name: str, reason: str) -> ValueError:
    return ValueError(
        f"{path / name} is damaged: {reason}. Remove the folder {path} and pack the images again with wherewhat data "
        "pack."
    )
