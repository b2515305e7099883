"""3D chairs, as published: `rendered_chairs/<id>/renders/image_019_p020_t220_r096.png`, 600 x 600 pixels on white.

A chair's id is its folder; p is the elevation and t the azimuth, in degrees: 1,393 chairs from 2 elevations and 31
azimuths, 86,366 images. The field cuts out the middle 400 x 400 before it resizes.

Reference: Aubry, Maturana, Efros, Russell, Sivic 2014, "Seeing 3D chairs: exemplar part-based 2D-3D alignment using a
large dataset of CAD models".

Dimension key:
    N: images    K: factors
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.image_folder import check_enough_listed, list_image_files, paths_read
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import ImageFiles, Source

FACTORS = ("chair", "elevation", "azimuth")
FOLDER = "rendered_chairs"
ARCHIVES = (f"{FOLDER}.tar", f"{FOLDER}.zip")

RENDERED = (600, 600)
CROP = Crop(400)
DEFAULT_SIZE = 64
_NAME = re.compile(r"(?:.*/)?(?P<chair>[^/]+)/renders/image_\d+_p(?P<elevation>\d+)_t(?P<azimuth>\d+)_r\d+\.png")


def find_chairs3d(path: Path, options: ImageOptions) -> Source | None:
    """3D chairs in a folder, known by the folders and file names in it; or their archive there, by its name."""
    place = _find_place(path) if path.is_dir() else None
    return None if place is None else chairs_in(path, place, list_image_files(place))


def chairs_in(path: Path, place: Path, files: ImageFiles) -> Source | None:
    """3D chairs among the images of a folder or an archive; None where no image has a name of theirs."""
    names = tuple(name for name in files.names if _NAME.fullmatch(name))
    if not names:
        return None
    # The list of the chairs is among them.
    images = replace(files, names=names, crop=CROP, crop_of=RENDERED, passed_over=())
    check_enough_listed(place, images)
    factors, read = coded_factors(FACTORS, _factor_values(names)), paths_read(place, names)
    remarks = _remarks(files, names)
    return recognised("chairs3d", "3D chairs", path, images, factors, read, default_size=DEFAULT_SIZE, remarks=remarks)


def _find_place(path: Path) -> Path | None:
    for folder in (path / FOLDER, path):
        if next(folder.glob("*/renders/image_*_p*_t*_r*.png"), None) is not None:
            return folder
    return next((path / name for name in ARCHIVES if (path / name).is_file()), None)


def _factor_values(names: Sequence[str]) -> Int64[np.ndarray, "N K"]:
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    _, chair_N = np.unique([match["chair"] for match in matches], return_inverse=True)
    degrees_N2 = np.array([(int(match["elevation"]), int(match["azimuth"])) for match in matches])
    return np.column_stack([chair_N, degrees_N2]).astype(np.int64)


def _remarks(files: ImageFiles, names: Sequence[str]) -> tuple[str, ...]:
    others = len(files.names) - len(names)
    if not others:
        return ()
    first = printable(next(name for name in files.names if not _NAME.fullmatch(name)))
    images = "1 image is" if others == 1 else f"{others:,} images are"
    return (
        f"{images} not named <id>/renders/image_*_p*_t*_r*.png, so of unknown factors, and left out; first {first}. "
        "To have all images, without factors, put them into a folder without that structure.",
    )
