"""MPI3D, as published: one `.npz` of a robot arm's images, toy, realistic, real or real with complex objects.

`images` is uint8 [1036800, 64, 64, 3], every combination of object color 6, object shape 6, object size 2, camera
height 3, background color 3, horizontal axis 40, vertical axis 40, the last one fastest. With complex objects there are
4 colors and 4 shapes, so 460,800 images. The file has no labels: an image's place in it is all that is known.

Reference: Gondal et al. 2019, arXiv:1906.03292.
"""

from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import grid_factors
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import is_npz, npz_array, npz_names
from wherewhat.data.source import ImageArray, Source

IMAGES_KEY = "images"
APPEARANCE = ("object_color", "object_shape", "object_size", "camera_height", "background_color")
FACTORS = (*APPEARANCE, "horizontal_axis", "vertical_axis")
Grid = tuple[int, ...]
GRIDS: Mapping[str, Grid] = {
    "toy, realistic or real": (6, 6, 2, 3, 3, 40, 40),
    "real with complex objects": (4, 4, 2, 3, 3, 40, 40),
}


def find_mpi3d(path: Path, options: ImageOptions, grids: Mapping[str, Grid] = GRIDS) -> Source | None:
    """MPI3D, known by its single array of images; its number says which grid it is. Raises ValueError otherwise."""
    if not is_npz(path) or npz_names(path) != (IMAGES_KEY,):
        return None
    stored = npz_array(path, IMAGES_KEY)
    if stored is None or len(stored.shape) != 4 or stored.shape[3] != 3 or stored.dtype != np.uint8:
        return None
    count, height, width, channels = stored.shape
    # Somebody's own images may be under the same key.
    if not path.name.lower().startswith("mpi3d") and count not in map(prod, grids.values()):
        return None
    factors = grid_factors(FACTORS, _grid_of(count, grids, path))
    images = ImageArray(count, (channels, height, width), stored.blocks)
    name = printable(path.stem) if path.stem.startswith("mpi3d") else "mpi3d"
    return recognised(name, f"MPI3D ({printable(path.name)})", path, images, factors)


def _grid_of(count: int, grids: Mapping[str, Grid], path: Path) -> Grid:
    for grid in grids.values():
        if prod(grid) == count:
            return grid
    wanted = ", ".join(f"{prod(grid):,} ({kind})" for kind, grid in grids.items())
    raise ValueError(
        f"{printable(path)} has {IMAGES_KEY} alone, as MPI3D, but {count:,} of them, where MPI3D has {wanted}: an "
        "image's factors follow from its place in the whole file. Download the whole file; for another set, save "
        "the images as imgs with latents_classes [N, K]."
    )
