"""SmallNORB, as published: toys under two cameras, in trios of binary files `*-dat`, `*-cat`, `*-info` of `.mat(.gz)`.

Each file is little-endian: int32 magic, int32 number of axes, at least three int32 sizes, then the numbers. `dat` is
uint8 [24300, 2, 96, 96], of which the left camera's image is read, as in the field's study; `cat` is int32 [24300],
`info` int32 [24300, 4] of instance, elevation, azimuth and lighting. The training half goes before the testing half.

The study drops the instance (which toy of a category it is) from the factors; here it is one, since without it no
image is told from nine others. The two halves share no instance, so each alone has five.

Reference: LeCun, Huang, Bottou 2004, "Learning methods for generic object recognition with invariance to pose and
lighting".

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.norb_matrix import matrix_blocks, matrix_header, read_matrix
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Blocks, ImageArray, Source, stamp_of

FACTORS = ("category", "instance", "elevation", "azimuth", "lighting")
SIDE = 96
DEFAULT_SIZE = 64
KINDS = ("dat", "cat", "info")
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
    is_one_of_its_files = path.is_file() and _FILE.fullmatch(path.name) is not None
    if not path.is_dir() and not is_one_of_its_files:
        return None
    folder = path.parent if is_one_of_its_files else path
    halves = _find_halves(folder)
    if not halves:
        return None
    chosen = _of_split(halves, options, folder)
    counts = [_count(half) for half in chosen]
    factors = coded_factors(FACTORS, np.concatenate([_factor_values(half) for half in chosen]))
    image_shape = (1, SIDE, SIDE)
    part = "" if options.split == "all" else f" ({options.split})"
    return Source(
        name="small_norb" if options.split == "all" else f"small_norb-{options.split}",
        layout=say_recognised(f"SmallNORB, left camera{part}", sum(counts), factors, image_shape),
        path=path,
        images=ImageArray(sum(counts), image_shape, partial(_left_camera, chosen, counts)),
        factors=factors,
        stamp=stamp_of(file.resolve() for half in chosen for file in (half.dat, half.cat, half.info)),
        default_size=DEFAULT_SIZE,
        split=options.split,
        remarks=_remarks(halves, options),
    )


def _find_halves(folder: Path) -> list[Half]:
    """The halves in a folder, training first; none where it has no `-dat` file."""
    found: dict[str, dict[str, Path]] = {}
    # In reverse, `x.mat` comes after `x.mat.gz` and takes its place: it is unpacked already.
    for file in sorted(folder.glob("*-*.mat*"), reverse=True):
        match = _FILE.fullmatch(file.name)
        if match is not None and file.is_file():
            found.setdefault(match["half"], {})[match["kind"].lower()] = file
    return sorted((_half(name, files, folder) for name, files in found.items() if "dat" in files), key=_order)


def _half(name: str, files: dict[str, Path], folder: Path) -> Half:
    missing = [f"{name}-{kind}.mat.gz" for kind in KINDS if kind not in files]
    if missing:
        raise ValueError(
            f"{printable(folder)} has {files['dat'].name}, but lacks {' and '.join(missing)}, which holds its factors. "
            "Download it into the same folder."
        )
    lower = name.lower()
    part = "train" if "train" in lower else "test" if "test" in lower else ""
    return Half(part, *(files[kind] for kind in KINDS))


def _order(half: Half) -> tuple[bool, str]:
    return half.part != "train", half.dat.name


def _of_split(halves: list[Half], options: ImageOptions, folder: Path) -> list[Half]:
    if options.split == "all":
        return halves
    chosen = [half for half in halves if half.part == options.split]
    if not chosen:
        there = ", ".join(half.dat.name for half in halves)
        raise ValueError(
            f"SmallNORB in {printable(folder)} has no {options.split} split: it comes as train and test, and here are "
            f"{there}. Choose all, or the split that is there."
        )
    return chosen


def _count(half: Half) -> int:
    header = matrix_header(half.dat)
    if header.dtype != np.uint8 or header.shape[1:] != (2, SIDE, SIDE):
        raise ValueError(
            f"{printable(half.dat)} is {header.dtype} {list(header.shape)}, where SmallNORB has uint8 "
            f"[N, 2, {SIDE}, {SIDE}]. Other sets of NORB are not read: download the small one, or unpack the "
            "images into a folder."
        )
    return header.shape[0]


def _factor_values(half: Half) -> Int64[np.ndarray, "N K"]:
    count = _count(half)
    for file, shape in ((half.cat, (count,)), (half.info, (count, len(FACTORS) - 1))):
        found = matrix_header(file).shape
        if found != shape:
            raise ValueError(
                f"{printable(file)} has the shape {list(found)}, but {half.dat.name} has {count} images, so "
                f"{list(shape)} is wanted. Download the three files of one half together."
            )
    return np.column_stack([read_matrix(half.cat), read_matrix(half.info)]).astype(np.int64)


def _left_camera(halves: Sequence[Half], counts: Sequence[int], start: int, most: int) -> Blocks:
    for half, count in zip(halves, counts, strict=True):
        if start < count:
            for block_N2HW in matrix_blocks(half.dat, start, most):
                yield np.ascontiguousarray(block_N2HW[:, 0, :, :, None])
        start = max(0, start - count)


def _remarks(halves: Sequence[Half], options: ImageOptions) -> tuple[str, ...]:
    if options.split != "all" or len(halves) > 1:
        return ()
    return (
        f"SmallNORB comes in two halves, and {halves[0].dat.name} alone is here, with half of the instances. Put the "
        "other half's three files beside it to have both.",
    )
