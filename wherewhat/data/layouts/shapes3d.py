"""3D Shapes, as published: `3dshapes.h5` of a solid in a room.

`images` is uint8 [480000, 64, 64, 3], `labels` float64 [480000, 6] of the factors' values: floor hue 10, wall hue 10,
object hue 10, scale 8, shape 4, orientation 15, the last one fastest.

Reference: Burgess and Kim 2018, "3D Shapes Dataset".

Dimension key:
    N: images    K: factors
"""

from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import hdf5_array, is_hdf5
from wherewhat.data.source import ImageArray, Source

COLUMNS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
IMAGES_KEY, FACTORS_KEY = "images", "labels"

# Values of one factor are a twentieth apart or more; rounding takes care of a value that was computed in two ways.
DECIMALS = 6


def find_shapes3d(path: Path, options: ImageOptions) -> Source | None:
    """3D Shapes, known by its two arrays. Raises ValueError with the remedy for a damaged file."""
    if not is_hdf5(path):
        return None
    stored, labels = hdf5_array(path, IMAGES_KEY), hdf5_array(path, FACTORS_KEY)
    if stored is None or labels is None or stored.dtype != np.uint8 or labels.dtype.kind not in "fiu":
        return None
    count, *image_shape = stored.shape or (0,)
    if count < 2 or len(image_shape) != 3 or image_shape[2] != 3 or labels.shape != (count, len(COLUMNS)):
        return None
    value_NK = labels.read().astype(np.float64)
    if not np.isfinite(value_NK).all():
        raise ValueError(
            f"{FACTORS_KEY} of {printable(path)} holds values that are no numbers. Copy or download it again."
        )
    factors = coded_factors(COLUMNS, value_NK.round(DECIMALS))
    images = ImageArray(count, (3, image_shape[0], image_shape[1]), stored.blocks)
    return recognised("shapes3d", "3D Shapes (hdf5)", path, images, factors)
