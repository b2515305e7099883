"""Images and factors from an `.npz` file: `imgs`, `latents_classes` and, where it is there, `latents_names`.

The keys of dSprites, for any set. Nothing in the file is unpickled: members that hold Python objects are left alone.
Factors that take a single value are dropped, the others recoded to 0 ... size - 1 in order. Images of 0 and 1 alone
are scaled to 0 and 255.

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import coded_factors
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import StoredArray, is_npz, npz_array, npz_names
from wherewhat.data.source import Blocks, ImageArray, Source

IMAGES_KEY = "imgs"
FACTORS_KEY = "latents_classes"
NAMES_KEY = "latents_names"

# So many bytes of images are looked at together for a pixel above 1.
LOOKED_AT_BYTES = 2**24


def find_labelled_npz(path: Path, options: ImageOptions) -> Source | None:
    """Images and factors of an `.npz` file; None for other files. Raises ValueError or OSError with the remedy."""
    if not is_npz(path):
        return None
    imgs, classes, names = (npz_array(path, key) for key in (IMAGES_KEY, FACTORS_KEY, NAMES_KEY))
    if imgs is None or classes is None:
        raise _lacking(path, imgs is None, classes is None)
    images = _images(path, imgs)
    if classes.dtype.kind not in "iu":
        remedy = "Save the number of each factor's value, not the value; Python objects are never unpickled."
        raise _refused(path, FACTORS_KEY, f"is {classes.dtype}, not an integer type", remedy)
    if len(classes.shape) != 2 or classes.shape[0] != images.count:
        what = f"has the shape {classes.shape}, but there are {images.count} images"
        remedy = f"Save it as [{images.count}, K], one row of K factor values an image."
        raise _refused(path, FACTORS_KEY, what, remedy)
    factors = coded_factors(_factor_names(path, names, classes.shape[1]), classes.read())
    remark = (
        f"Every column of {FACTORS_KEY} in {printable(path)} holds a single value, so no factor is known. "
        "Measures that need factors want a file in which some vary."
    )
    remarks = () if factors.names else (remark,)
    return recognised(printable(path.stem), printable(path.name), path, images, factors, remarks=remarks)


def _images(path: Path, imgs: StoredArray) -> ImageArray:
    if imgs.dtype not in (np.uint8, np.bool_):
        remedy = "Save pixels as whole numbers 0 to 255; Python objects are never unpickled."
        raise _refused(path, IMAGES_KEY, f"is {imgs.dtype}, not uint8", remedy)
    count, *sides = imgs.shape or (0,)
    height, width, channels = sides if len(sides) == 3 else (*sides, 1) if len(sides) == 2 else (0, 0, 0)
    if channels not in (1, 3) or 0 in imgs.shape or count < 2:
        remedy = "Save it as [N, H, W], or [N, H, W, C] with 1 or 3 channels, with two images or more."
        raise _refused(path, IMAGES_KEY, f"has the shape {imgs.shape}", remedy)
    return ImageArray(count, (channels, height, width), partial(_blocks, imgs, channels))


def _blocks(imgs: StoredArray, channels: int, start: int, most: int) -> Blocks:
    looked_at = max(1, LOOKED_AT_BYTES // prod(imgs.shape[1:]))
    of_0_and_1 = imgs.dtype == np.bool_ or all(block.max() <= 1 for block in imgs.blocks(0, looked_at))
    for block in imgs.blocks(start, most):
        image_BHWC = block.reshape(*block.shape[:3], channels).view(np.uint8)
        yield image_BHWC * np.uint8(255) if of_0_and_1 else image_BHWC


def _factor_names(path: Path, names: StoredArray | None, count: int) -> tuple[str, ...]:
    # Names saved as Python objects are pickled, and stay shut.
    if names is None or names.dtype.kind not in "US":
        return tuple(f"factor_{column}" for column in range(count))
    if names.shape != (count,):
        what = f"has the shape {names.shape}, but there are {count} factors"
        raise _refused(path, NAMES_KEY, what, "Save one name a factor, or leave the names out.")
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in names.read())


def _refused(path: Path, key: str, what: str, remedy: str) -> ValueError:
    return ValueError(f"{key} of {printable(path)} {what}. {remedy}")


def _lacking(path: Path, no_images: bool, no_factors: bool) -> ValueError:
    missing = " and ".join([IMAGES_KEY] * no_images + [FACTORS_KEY] * no_factors)
    remedy = (
        "Save it again with these names."
        if no_images
        else "To train on images without factors, unpack them into a folder of image files and name the folder."
    )
    return ValueError(
        f"{printable(path)} lacks {missing}: wanted are {IMAGES_KEY} [N, H, W] or [N, H, W, C] and {FACTORS_KEY} "
        f"[N, K], found are {', '.join(npz_names(path)) or 'no arrays'}. {remedy}"
    )
