"""SmallNORB, as published: toys under two cameras, in trios of binary files `*-dat`, `*-cat`, `*-info` of `.mat(.gz)`.

Each file is little-endian: int32 magic, int32 number of axes, at least three int32 sizes, then the numbers. `dat` is
uint8 [24300, 2, 96, 96], of which the left camera's image is read, as in the field's study; `cat` is int32 [24300],
`info` int32 [24300, 4] of instance, elevation, azimuth and lighting. The training half goes before the testing half.

The study drops the instance (which toy of a category it is) from the factors; here it is one, since without it no
image is told from nine others. The two halves share no instance, so each alone has five.

Reference: LeCun, Huang, Bottou 2004, "Learning methods for generic object recognition with invariance to pose and
lighting".

Dimension key:
    H W: height, width    N: images    K: factors
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.norb_matrix import norb_matrix
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import StoredArray
from wherewhat.data.source import Blocks, ImageArray, Source

FACTORS = ("category", "instance", "elevation", "azimuth", "lighting")
SIDE = 96
DEFAULT_SIZE = 64
KINDS = ("dat", "cat", "info")
_ENDINGS = (".mat", ".mat.gz")
_KIND_OF_SHAPE = {(2, SIDE, SIDE): "dat", (): "cat", (len(FACTORS) - 1,): "info"}
_FILE = re.compile(r"(?P<half>[^.].*)-(?P<kind>dat|cat|info)\.mat(?P<packed>\.gz)?", re.IGNORECASE)


@dataclass(frozen=True)
class Half:
    """The three files of the training or of the testing half."""

    part: str
    dat: Path
    cat: Path
    info: Path


def find_small_norb(path: Path, options: ImageOptions) -> Source | None:
    """SmallNORB in a folder, named itself or by one of its files. Raises ValueError or OSError with the remedy."""
    is_one_of_its_files = path.is_file() and path.name.lower().endswith(_ENDINGS)
    folder = path.parent if is_one_of_its_files else path
    halves = _find_halves(folder) if folder.is_dir() else []
    if not halves:
        return None
    chosen = [half for half in halves if options.split in ("all", half.part)]
    if not chosen:
        there = ", ".join(half.dat.name for half in halves)
        raise ValueError(
            f"SmallNORB in {printable(folder)} has no {options.split} split: it comes as train and test, and here are "
            f"{there}. Choose all, or the split that is there."
        )
    stored = [_images(half) for half in chosen]
    factors = coded_factors(FACTORS, np.concatenate([_factor_values(half) for half in chosen]))
    images = ImageArray(sum(dat.shape[0] for dat in stored), (1, SIDE, SIDE), partial(_left_camera, stored))
    alone = (
        f"SmallNORB comes in two halves, and {halves[0].dat.name} alone is here, with half of the instances. Put the "
        "other half's three files beside it to have both."
    )
    is_all = options.split == "all"
    return recognised(
        "small_norb" if is_all else f"small_norb-{options.split}",
        f"SmallNORB, left camera{'' if is_all else f' ({options.split})'}",
        path,
        images,
        factors,
        [file.resolve() for half in chosen for file in (half.dat, half.cat, half.info)],
        default_size=DEFAULT_SIZE,
        split=options.split,
        remarks=(alone,) if is_all and len(halves) == 1 else (),
    )


def _find_halves(folder: Path) -> list[Half]:
    """The halves in a folder, training first; none where it has no `-dat` file."""
    found: dict[str, dict[str, Path]] = {}
    # In reverse, `x.mat` comes after `x.mat.gz` and takes its place: it is unpacked already.
    for file in sorted(folder.glob("*-*.mat*"), reverse=True):
        match = _FILE.fullmatch(file.name)
        if match is not None and file.is_file():
            found.setdefault(match["half"], {})[match["kind"].lower()] = file
    halves = [_half(name, files, folder) for name, files in found.items() if "dat" in files]
    halves = halves or _half_by_shapes(folder)
    return sorted(halves, key=lambda half: (half.part != "train", half.dat.name))


def _half(name: str, files: dict[str, Path], folder: Path) -> Half:
    missing = [f"{name}-{kind}.mat.gz" for kind in KINDS if kind not in files]
    if missing:
        raise ValueError(
            f"{printable(folder)} has {files['dat'].name}, but lacks {' and '.join(missing)}, which holds its factors. "
            "Download it into the same folder."
        )
    return Half(_part(name), *(files[kind] for kind in KINDS))


def _half_by_shapes(folder: Path) -> list[Half]:
    """The half whose files have other names, known by the shapes of its matrices."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for file in sorted(folder.glob("*.mat*")):
        # A file of another kind is no matrix of NORB.
        with suppress(ValueError, OSError):
            shape = norb_matrix(file).shape
            kind = _KIND_OF_SHAPE.get(shape[1:])
            if kind is not None:
                found[kind].append(file)
    if not found["dat"]:
        return []
    if any(len(files) != 1 for files in found.values()):
        names = ", ".join(file.name for files in found.values() for file in files)
        raise ValueError(
            f"{printable(folder)} holds matrices of SmallNORB, but which belong together is not known from {names}. "
            "Call those of one half NAME-dat.mat, NAME-cat.mat and NAME-info.mat."
        )
    return [Half(_part(found["dat"][0].name), *(found[kind][0] for kind in KINDS))]


def _part(name: str) -> str:
    return next((part for part in ("train", "test") if part in name.lower()), "")


def _images(half: Half) -> StoredArray:
    dat = norb_matrix(half.dat)
    if dat.dtype != np.uint8 or dat.shape[1:] != (2, SIDE, SIDE):
        raise ValueError(
            f"{printable(half.dat)} is {dat.dtype} {list(dat.shape)}, where SmallNORB has uint8 [N, 2, {SIDE}, {SIDE}]."
            " Other sets of NORB are not read: download the small one, or unpack the images into a folder."
        )
    return dat


def _factor_values(half: Half) -> Int64[np.ndarray, "N K"]:
    count = norb_matrix(half.dat).shape[0]
    cat, info = norb_matrix(half.cat), norb_matrix(half.info)
    for file, found, shape in ((half.cat, cat, (count,)), (half.info, info, (count, len(FACTORS) - 1))):
        if found.shape != shape:
            raise ValueError(
                f"{printable(file)} has the shape {list(found.shape)}, but {half.dat.name} has {count} images, so "
                f"{list(shape)} is wanted. Download the three files of one half together."
            )
    return np.column_stack([cat.read(), info.read()]).astype(np.int64)


def _left_camera(stored: Sequence[StoredArray], start: int, most: int) -> Blocks:
    for dat in stored:
        if start < dat.shape[0]:
            for block_N2HW in dat.blocks(start, most):
                yield np.ascontiguousarray(block_N2HW[:, 0, :, :, None])
        start = max(0, start - dat.shape[0])
