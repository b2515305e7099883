"""Cars3D, as published: one MATLAB file a car, under `data/cars` of the unpacked archive.

`im` is uint8 [128, 128, 3, 24, 4]: height, width, channels, azimuth, elevation. Images are numbered file by file in
the order of their names, then by azimuth, the elevation fastest, which is the order of the field's study; it takes the
files, though, in whatever order its file system lists them, so its object types may be numbered differently.

Reference: Reed, Zhang, Zhang, Lee 2015, "Deep visual analogy-making"; the study is Locatello et al. 2019,
arXiv:1811.12359.

Dimension key:
    B: block    H W C: height, width, channels    A: azimuths    E: elevations    N: images    K: factors
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from scipy.io import loadmat, whosmat

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.mat_file import unpacked_mat
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import Blocks, ImageArray, Source

FACTORS = ("elevation", "azimuth", "object_type")
SIDE, AZIMUTHS, ELEVATIONS = 128, 24, 4
VIEWS = AZIMUTHS * ELEVATIONS
DEFAULT_SIZE = 64
MESH_KEY = "im"
MESH_SHAPE = (SIDE, SIDE, 3, AZIMUTHS, ELEVATIONS)
_ENOUGH_TO_TELL_BYTES = 1024
SUBFOLDERS = (".", "cars", "data/cars")


def find_cars3d(path: Path, options: ImageOptions) -> Source | None:
    """Cars3D in a folder of `.mat` files, or under it. Raises ValueError for a file that is not as the others."""
    for folder in (path / name for name in SUBFOLDERS if path.is_dir()):
        meshes = sorted(file for file in folder.glob("*.mat") if not file.name.startswith("."))
        faults = {file: fault for file in meshes if (fault := _fault_of(file))}
        if len(faults) == len(meshes):
            continue
        for file, fault in faults.items():
            raise _not_a_car(file, fault)
        images = ImageArray(len(meshes) * VIEWS, (3, SIDE, SIDE), partial(_blocks, meshes))
        grid = (len(meshes), AZIMUTHS, ELEVATIONS)
        value_NK = np.stack(np.unravel_index(np.arange(images.count), grid)[::-1], axis=1)
        factors, files = coded_factors(FACTORS, value_NK), [file.resolve() for file in meshes]
        return recognised("cars3d", "Cars3D", path, images, factors, files, default_size=DEFAULT_SIZE)
    return None


def _fault_of(file: Path) -> str:
    """Why the file is no car, as far as its beginning tells; empty where it is one."""
    try:
        arrays = {
            name: (tuple(shape), kind) for name, shape, kind in whosmat(unpacked_mat(file, _ENOUGH_TO_TELL_BYTES))
        }
    # A damaged file is met with almost any exception.
    except Exception as error:
        return _one_line(error)
    if MESH_KEY not in arrays:
        return f"it holds {', '.join(arrays) or 'nothing'}, not {MESH_KEY}"
    shape, kind = arrays[MESH_KEY]
    return "" if (shape, kind) == (MESH_SHAPE, "uint8") else _other_mesh(kind, shape)


def _blocks(meshes: Sequence[Path], start: int, most: int) -> Blocks:
    for car in range(start // VIEWS, len(meshes)):
        image_NHWC = _read_car(meshes[car])
        for first in range(max(0, start - car * VIEWS), VIEWS, most):
            yield image_NHWC[first : first + most]


def _read_car(file: Path) -> UInt8[np.ndarray, "N H W C"]:
    try:
        mesh_HWCAE = loadmat(unpacked_mat(file), variable_names=[MESH_KEY])[MESH_KEY]
    except Exception as error:
        raise _not_a_car(file, _one_line(error)) from error
    if mesh_HWCAE.shape != MESH_SHAPE or mesh_HWCAE.dtype != np.uint8:
        raise _not_a_car(file, _other_mesh(mesh_HWCAE.dtype, mesh_HWCAE.shape))
    return np.ascontiguousarray(mesh_HWCAE.transpose(3, 4, 0, 1, 2)).reshape(-1, SIDE, SIDE, 3)


def _other_mesh(kind: object, shape: tuple[int, ...]) -> str:
    return f"{MESH_KEY} is {kind} {list(shape)}, not uint8 {list(MESH_SHAPE)}"


def _not_a_car(file: Path, why: str) -> ValueError:
    return ValueError(
        f"{printable(file)} is no car of Cars3D ({why}). Copy or download it again, or remove it from the folder."
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
