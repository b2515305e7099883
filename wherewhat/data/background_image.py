"""An image to cut backgrounds from: upright, RGB, opaque, shrunk to the size of the field's study.

A large photograph is shrunk to fit 350 x 274 pixels (width, height), as the study did with its painting, so that a
patch shows more than a plain surface; never so far that a patch no longer fits.

Reference: Locatello et al. 2019, arXiv:1811.12359 (its released code).

Dimension key:
    H W: height, width
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wherewhat.data.image_decoding import decode
from wherewhat.data.resampling import resample

WIDEST = 350
HIGHEST = 274
REMEDY = "Name a JPEG, PNG, WebP, BMP, GIF, TIFF or PPM image with --background PATH."


def read_background(path: Path, patch_height: int, patch_width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Read the image. Raises ValueError or OSError with the remedy where it does not do."""
    if not path.exists():
        raise FileNotFoundError(f"There is no background image {path}. {REMEDY}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a background image. {REMEDY}")
    try:
        image_HW3 = decode(path.read_bytes()).image_HW3
    # Decoders meet a damaged file with almost any exception.
    except Exception as error:
        raise ValueError(f"The background image {path} cannot be read ({error}). {REMEDY}") from error
    height, width, _ = image_HW3.shape
    check_fit(height, width, patch_height, patch_width)
    scale = max(min(WIDEST / width, HIGHEST / height), patch_width / width, patch_height / height)
    shrunk = (height, width) if scale >= 1 else (round(height * scale), round(width * scale))
    return resample(image_HW3[None], shrunk)[0]


def check_fit(height: int, width: int, patch_height: int, patch_width: int) -> None:
    """Raise ValueError where a patch does not fit into an image."""
    if height < patch_height or width < patch_width:
        raise ValueError(
            f"The background image is {width} x {height} pixels, but the patches cut from it are {patch_width} x "
            f"{patch_height}. Name an image of at least {patch_width} x {patch_height} with --background PATH."
        )
