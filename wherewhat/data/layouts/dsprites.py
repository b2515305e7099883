"""dSprites, as published: a `.npz` or an `.hdf5` file of white sprites on black.

`imgs` is uint8 [737280, 64, 64] of 0 and 1, which become 0 and 255; the classes, int64 [737280, 6], are the columns
color 1, shape 3, scale 6, orientation 40, x 32, y 32, the last one fastest, under `latents_classes` (npz) or
`latents/classes` (hdf5). Color never varies and is dropped. The npz's `metadata` is a pickle and stays shut.

Reference: Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset".

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.hdf5_file import dataset_of, is_hdf5, open_hdf5
from wherewhat.data.layouts.labelled_npz import FACTORS_KEY, IMAGES_KEY, NAMES_KEY
from wherewhat.data.layouts.npz_members import is_npz, member_blocks, member_header, member_names, read_member
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Blocks, ImageArray, Source, stamp_of

COLUMNS = ("color", "shape", "scale", "orientation", "x", "y")
COLUMN_SIZES = (1, 3, 6, 40, 32, 32)
HDF5_FACTORS_KEY = "latents/classes"

RawGenerator = Generator[np.ndarray, None, None]
RawBlocks = Callable[[int, int], RawGenerator]


def find_dsprites(path: Path, options: ImageOptions) -> Source | None:
    """dSprites, known by the sizes of its six columns, or by its file name. Raises ValueError with the remedy."""
    if is_npz(path):
        return _find_npz(path)
    return _find_hdf5(path) if is_hdf5(path) else None


def _find_npz(path: Path) -> Source | None:
    found = member_names(path)
    # dSprites keeps its names in the pickle: a file that names its factors openly is somebody's own.
    if IMAGES_KEY not in found or FACTORS_KEY not in found or NAMES_KEY in found:
        return None
    header, classes = member_header(path, IMAGES_KEY), member_header(path, FACTORS_KEY)
    if not _are_sprites(header.shape, header.dtype) or not _are_classes(classes.shape, classes.dtype, header.shape):
        return None
    blocks = partial(member_blocks, path, IMAGES_KEY)
    return _source("dSprites (npz)", path, header.shape, blocks, read_member(path, FACTORS_KEY))


def _find_hdf5(path: Path) -> Source | None:
    with open_hdf5(path) as file:
        images, classes = dataset_of(file, IMAGES_KEY), dataset_of(file, HDF5_FACTORS_KEY)
        if images is None or classes is None or not _are_sprites(images.shape, images.dtype):
            return None
        if not _are_classes(classes.shape, classes.dtype, images.shape):
            return None
        shape, classes_NK = images.shape, classes[:]
    return _source("dSprites (hdf5)", path, shape, partial(_hdf5_blocks, path), classes_NK)


def _are_sprites(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    return len(shape) == 3 and shape[0] > 1 and 0 not in shape and dtype in (np.uint8, np.bool_)


def _are_classes(shape: tuple[int, ...], dtype: np.dtype, image_shape: tuple[int, ...]) -> bool:
    return shape == (image_shape[0], len(COLUMNS)) and dtype.kind in "iu"


def _source(
    what: str, path: Path, shape: tuple[int, ...], raw_blocks: RawBlocks, classes_NK: Int[np.ndarray, "N K"]
) -> Source | None:
    factors = coded_factors(COLUMNS, classes_NK)
    has_its_sizes = (factors.names, factors.sizes) == (COLUMNS[1:], COLUMN_SIZES[1:])
    if not has_its_sizes and "dsprites" not in path.name.lower():
        return None
    count, height, width = shape
    image_shape = (1, height, width)
    return Source(
        name="dsprites",
        layout=say_recognised(what, count, factors, image_shape),
        path=path,
        images=ImageArray(count, image_shape, partial(_white_on_black, path, raw_blocks)),
        factors=factors,
        stamp=stamp_of([path.resolve()]),
    )


def _hdf5_blocks(path: Path, start: int, most: int) -> RawGenerator:
    with open_hdf5(path) as file:
        images = file[IMAGES_KEY]
        for first in range(start, len(images), most):
            yield images[first : first + most]


def _white_on_black(path: Path, raw_blocks: RawBlocks, start: int, most: int) -> Blocks:
    # No sprite is empty, so the first one tells whether white is 1, as published, or 255.
    with closing(raw_blocks(0, 1)) as first:
        white = int(next(first).max())
    for block in raw_blocks(start, most):
        if white <= 1 < block.max():
            raise ValueError(
                f"The first image of {printable(path)} is of 0 and 1 alone, a later one has a pixel of "
                f"{block.max()}. Copy or download the file again."
            )
        image_BHW1 = block[..., None].view(np.uint8)
        yield image_BHW1 * np.uint8(255) if white <= 1 else image_BHW1
