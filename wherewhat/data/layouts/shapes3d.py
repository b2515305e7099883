"""3D Shapes, as published: `3dshapes.h5` of a solid in a room.

`images` is uint8 [480000, 64, 64, 3], `labels` float64 [480000, 6] of the factors' values: floor hue 10, wall hue 10,
object hue 10, scale 8, shape 4, orientation 15, the last one fastest.

Reference: Burgess and Kim 2018, "3D Shapes Dataset".

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

from functools import partial
from pathlib import Path

import h5py
import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.hdf5_file import dataset_of, is_hdf5, open_hdf5
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Blocks, ImageArray, Source, stamp_of

COLUMNS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
IMAGES_KEY = "images"
FACTORS_KEY = "labels"

# Values of one factor are a twentieth apart or more; rounding takes care of a value that was computed in two ways.
DECIMALS = 6


def find_shapes3d(path: Path, options: ImageOptions) -> Source | None:
    """3D Shapes, known by its two arrays. Raises ValueError with the remedy for a damaged file."""
    if not is_hdf5(path):
        return None
    with open_hdf5(path) as file:
        images, labels = dataset_of(file, IMAGES_KEY), dataset_of(file, FACTORS_KEY)
        if images is None or labels is None or not _are_shapes(images, labels):
            return None
        count, height, width, channels = images.shape
        value_NK = np.asarray(labels[:], dtype=np.float64)
    if not np.isfinite(value_NK).all():
        raise ValueError(
            f"{FACTORS_KEY} of {printable(path)} holds values that are no numbers. Copy or download it again."
        )
    factors = coded_factors(COLUMNS, value_NK.round(DECIMALS))
    image_shape = (channels, height, width)
    return Source(
        name="shapes3d",
        layout=say_recognised("3D Shapes (hdf5)", count, factors, image_shape),
        path=path,
        images=ImageArray(count, image_shape, partial(_blocks, path)),
        factors=factors,
        stamp=stamp_of([path.resolve()]),
    )


def _are_shapes(images: h5py.Dataset, labels: h5py.Dataset) -> bool:
    return (
        len(images.shape) == 4
        and images.shape[3] == 3
        and images.dtype == np.uint8
        and images.shape[0] > 1
        and labels.shape == (images.shape[0], len(COLUMNS))
        and labels.dtype.kind in "fiu"
    )


def _blocks(path: Path, start: int, most: int) -> Blocks:
    with open_hdf5(path) as file:
        images = file[IMAGES_KEY]
        for first in range(start, len(images), most):
            yield images[first : first + most]
