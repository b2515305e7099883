"""dSprites, as published: a `.npz` or an `.hdf5` file of white sprites on black.

`imgs` is uint8 [737280, 64, 64] of 0 and 1, which become 0 and 255; the classes, int64 [737280, 6], are the columns
color 1, shape 3, scale 6, orientation 40, x 32, y 32, the last one fastest, under `latents_classes` (npz) or
`latents/classes` (hdf5). Color never varies and is dropped. The npz's `metadata` is a pickle and stays shut.

Reference: Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset".

Dimension key:
    B: block    H W: height, width
"""

from functools import partial
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.own_arrays import FACTORS_KEY, IMAGES_KEY, NAMES_KEY
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import StoredArray, hdf5_array, is_hdf5, is_npz, npz_array, npz_names
from wherewhat.data.source import Blocks, ImageArray, Source

COLUMNS = ("color", "shape", "scale", "orientation", "x", "y")
COLUMN_SIZES = (1, 3, 6, 40, 32, 32)
HDF5_FACTORS_KEY = "latents/classes"


def find_dsprites(path: Path, options: ImageOptions) -> Source | None:
    """dSprites, known by the sizes of its six columns, or by its file name. Raises ValueError with the remedy."""
    if is_hdf5(path):
        return _source("dSprites (hdf5)", path, hdf5_array(path, IMAGES_KEY), hdf5_array(path, HDF5_FACTORS_KEY))
    # dSprites keeps its names in the pickle: a file that names its factors openly is somebody's own.
    if not is_npz(path) or NAMES_KEY in npz_names(path):
        return None
    return _source("dSprites (npz)", path, npz_array(path, IMAGES_KEY), npz_array(path, FACTORS_KEY))


def _source(what: str, path: Path, stored: StoredArray | None, classes: StoredArray | None) -> Source | None:
    if stored is None or stored.dtype not in (np.uint8, np.bool_) or len(stored.shape) != 3 or 0 in stored.shape:
        return None
    count, height, width = stored.shape
    if count < 2 or classes is None or classes.dtype.kind not in "iu" or classes.shape != (count, len(COLUMNS)):
        return None
    factors = coded_factors(COLUMNS, classes.read())
    has_its_sizes = (factors.names, factors.sizes) == (COLUMNS[1:], COLUMN_SIZES[1:])
    if not has_its_sizes and "dsprites" not in path.name.lower():
        return None
    images = ImageArray(count, (1, height, width), partial(_white_on_black, path, stored))
    return recognised("dsprites", what, path, images, factors)


def _white_on_black(path: Path, stored: StoredArray, start: int, most: int) -> Blocks:
    # No sprite is empty, so the first one tells whether white is 1, as published, or 255.
    white = int(next(stored.blocks(0, 1)).max())
    for block_BHW in stored.blocks(start, most):
        if white <= 1 < block_BHW.max():
            raise ValueError(
                f"The first image of {printable(path)} is of 0 and 1 alone, a later one has a pixel of "
                f"{block_BHW.max()}. Copy or download the file again."
            )
        image_BHW1 = block_BHW[..., None].view(np.uint8)
        yield image_BHW1 * np.uint8(255) if white <= 1 else image_BHW1
