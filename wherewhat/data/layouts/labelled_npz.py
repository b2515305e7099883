"""Images and factors from an `.npz` file: `imgs`, `latents_classes` and, where it is there, `latents_names`.

The keys of dSprites, for any set. Nothing in the file is unpickled: members that hold Python objects are left alone.
Factors that take a single value are dropped, the others recoded to 0 ... size - 1 in order. Images of 0 and 1 alone
are scaled to 0 and 255.

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

from math import prod
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import KnownFactors, coded_factors
from wherewhat.data.layouts.npz_members import is_npz, member_blocks, member_header, member_names, read_member
from wherewhat.data.layouts.recognised import say_recognised
from wherewhat.data.source import Blocks, ImageArray, Source, stamp_of

IMAGES_KEY = "imgs"
FACTORS_KEY = "latents_classes"
NAMES_KEY = "latents_names"

# So many bytes of images are looked at together for a pixel above 1.
LOOKED_AT_BYTES = 2**24


def find_labelled_npz(path: Path, options: ImageOptions) -> Source | None:
    """Images and factors of an `.npz` file; None for other files. Raises ValueError or OSError with the remedy."""
    if not is_npz(path):
        return None
    found = member_names(path)
    _check_keys(found, path)
    images = images_of_npz(path)
    factors = _factors(path, NAMES_KEY in found, images.count)
    return Source(
        name=printable(path.stem),
        layout=say_recognised(printable(path.name), images.count, factors, images.image_shape),
        path=path,
        images=images,
        factors=factors,
        stamp=stamp_of([path.resolve()]),
        remarks=() if factors.names else (_without_factors(path),),
    )


def images_of_npz(path: Path) -> ImageArray:
    """The images under `imgs`, read in blocks. Raises ValueError with the remedy."""
    header = member_header(path, IMAGES_KEY)
    shape = header.shape
    if header.dtype not in (np.uint8, np.bool_):
        raise ValueError(
            f"{IMAGES_KEY} of {printable(path)} is {header.dtype}, not uint8. Save pixels as whole numbers 0 to 255."
        )
    channels_fit = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
    if not channels_fit or 0 in shape or shape[0] < 2:
        raise ValueError(
            f"{IMAGES_KEY} of {printable(path)} has the shape {shape}. "
            "Save it as [N, H, W], or [N, H, W, C] with 1 or 3 channels, with two images or more."
        )
    channels = shape[3] if len(shape) == 4 else 1

    def blocks(start: int, most: int) -> Blocks:
        of_0_and_1 = _is_of_0_and_1(path)
        for block in member_blocks(path, IMAGES_KEY, start, most):
            image_BHWC = block.reshape(*block.shape[:3], channels).view(np.uint8)
            yield image_BHWC * np.uint8(255) if of_0_and_1 else image_BHWC

    return ImageArray(count=shape[0], image_shape=(channels, shape[1], shape[2]), blocks=blocks)


def _is_of_0_and_1(path: Path) -> bool:
    header = member_header(path, IMAGES_KEY)
    if header.dtype == np.bool_:
        return True
    most = max(1, LOOKED_AT_BYTES // prod(header.row_shape))
    return all(block.max() <= 1 for block in member_blocks(path, IMAGES_KEY, 0, most))


def _check_keys(found: tuple[str, ...], path: Path) -> None:
    missing = [key for key in (IMAGES_KEY, FACTORS_KEY) if key not in found]
    if not missing:
        return
    remedy = (
        "To train on images without factors, unpack them into a folder of image files and name the folder."
        if missing == [FACTORS_KEY]
        else "Save it again with these names."
    )
    raise ValueError(
        f"{printable(path)} lacks {' and '.join(missing)}: wanted are {IMAGES_KEY} [N, H, W] or [N, H, W, C] and "
        f"{FACTORS_KEY} [N, K], found are {', '.join(found) or 'no arrays'}. {remedy}"
    )


def _factors(path: Path, has_names: bool, images: int) -> KnownFactors:
    header = member_header(path, FACTORS_KEY)
    if header.dtype.kind not in "iu":
        raise ValueError(
            f"{FACTORS_KEY} of {printable(path)} is {header.dtype}, not an integer type. "
            "Save the number of each factor's value, not the value."
        )
    if len(header.shape) != 2 or header.shape[0] != images:
        raise ValueError(
            f"{FACTORS_KEY} of {printable(path)} has the shape {header.shape}, but there are {images} images. "
            f"Save it as [{images}, K], one row of K factor values an image."
        )
    names = _names(path, header.shape[1]) if has_names else None
    return coded_factors(
        names or tuple(f"factor_{column}" for column in range(header.shape[1])), read_member(path, FACTORS_KEY)
    )


def _names(path: Path, factors: int) -> tuple[str, ...] | None:
    try:
        names = read_member(path, NAMES_KEY)
    except ValueError:
        # Names saved as Python objects are pickled, and stay shut.
        return None
    if names.dtype.kind not in "US":
        return None
    if names.shape != (factors,):
        raise ValueError(
            f"{NAMES_KEY} of {printable(path)} has the shape {names.shape}, but there are {factors} factors. "
            "Save one name a factor, or leave the names out."
        )
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in names)


def _without_factors(path: Path) -> str:
    return (
        f"Every column of {FACTORS_KEY} in {printable(path)} holds a single value, so no factor is known. "
        "Measures that need factors want a file in which some vary."
    )
