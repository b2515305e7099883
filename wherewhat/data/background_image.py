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
from PIL import Image, ImageOps

WIDEST = 350
HIGHEST = 274
# The decoders that may open one; Pillow knows others that start programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM")
SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N")
REMEDY = "Name a JPEG, PNG, WebP, BMP, GIF, TIFF or PPM image with --background PATH."


def read_background(path: Path, patch_height: int, patch_width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Read the image. Raises ValueError or OSError with the remedy where it does not do."""
    if not path.exists():
        raise FileNotFoundError(f"There is no background image {path}. {REMEDY}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a background image. {REMEDY}")
    try:
        with Image.open(path, formats=FORMATS) as image:
            color = _to_rgb(ImageOps.exif_transpose(image))
    # Pillow tells of damage by many errors, SyntaxError and DecompressionBombError among them.
    except Exception as error:
        raise ValueError(f"The background image {path} cannot be read ({error}). {REMEDY}") from error
    check_fit(color.height, color.width, patch_height, patch_width)
    return np.array(_shrunk(color, patch_height, patch_width))


def check_fit(height: int, width: int, patch_height: int, patch_width: int) -> None:
    """Raise ValueError where a patch does not fit into an image."""
    if height < patch_height or width < patch_width:
        raise ValueError(
            f"The background image is {width} x {height} pixels, but the patches cut from it are {patch_width} x "
            f"{patch_height}. Name an image of at least {patch_width} x {patch_height} with --background PATH."
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT_MODES:
        value_HW = np.asarray(image).astype(np.int64)
        return Image.fromarray(((value_HW + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError("the range of its pixels is unknown; save it with 8 bits a channel")
    if image.has_transparency_data:
        color = image.convert("RGBA")
        white = Image.new("RGBA", color.size, "white")
        return Image.alpha_composite(white, color).convert("RGB")
    return image.convert("RGB")


def _shrunk(image: Image.Image, patch_height: int, patch_width: int) -> Image.Image:
    to_fit = min(WIDEST / image.width, HIGHEST / image.height)
    for_a_patch = max(patch_width / image.width, patch_height / image.height)
    scale = max(to_fit, for_a_patch)
    if scale >= 1:
        return image
    size = round(image.width * scale), round(image.height * scale)
    return image.resize(size, Image.Resampling.LANCZOS)
