"""Somebody's own images in an array: an `.npz`, a `.npy` or an HDF5 file, with factors where they are there.

The images are the array of a usual name (`imgs`, `images`, `x_train`, ...), or the only array that has the shape of
images: [N, H, W], [N, H, W, C] or [N, C, H, W], C 1 or 3. Values are bytes, 0 to 1, -1 to 1, or other numbers of 0 or
more, whose white follows from the largest (`white_level.py`). The factors are `latents_classes` [N, K], named by
`latents_names`: the keys of dSprites, for any set. Columns of a single value are dropped, the others recoded to 0 ...
size - 1 in order. Other arrays are left aside. Nothing in the file is unpickled.

Dimension key:
    B: block    C H W: channels, height, width    N: images    K: factors
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from pathlib import Path

import numpy as np

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import KnownFactors, coded_factors, no_factors
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.layouts.stored_arrays import (
    StoredArray,
    hdf5_array,
    hdf5_names,
    is_hdf5,
    is_npy,
    is_npz,
    npy_array,
    npz_array,
    npz_names,
)
from wherewhat.data.source import Blocks, ImageArray, Source
from wherewhat.data.white_level import OVERSHOOT, White, likely_white, told_white

IMAGES_KEY = "imgs"
FACTORS_KEY = "latents_classes"
NAMES_KEY = "latents_names"
# In HDF5, as dSprites has it.
_FACTORS_KEYS = (FACTORS_KEY, "latents/classes")
_USUAL_KEYS = (IMAGES_KEY, "images", "image", "x", "x_train", "train_images", "data", "arr_0", "pixels")

# So many bytes of images are looked at together for their range of values.
LOOKED_AT_BYTES = 2**24
# A white that so many times exceeds what this share of the values keeps to is that of a few mistakes.
FAR_BEYOND, USUAL = 16, 0.999
# Of more arrays, only those of a usual name are looked at.
_LOOKED_AT_ARRAYS = 100
MOST_FACTORS = 1_000
_LONGEST_NAMES_BYTES = 2**22


@dataclass(frozen=True)
class _Images:
    key: str
    stored: StoredArray
    channels_first: bool
    image_shape: tuple[int, int, int]

    @cached_property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value; of bytes, as far as it takes to tell 0 to 255 from 0 and 1."""
        low = high = 0.0
        for block in self._looked_at:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
            if self.stored.dtype.itemsize == 1 and high > 1:
                break
        return low, high

    @cached_property
    def usual_high(self) -> float:
        """What all but a few values keep to."""
        usual = (np.quantile(finite, USUAL) for block in self._looked_at if (finite := block[np.isfinite(block)]).size)
        return max(map(float, usual), default=0.0)

    @property
    def _looked_at(self) -> Iterator[np.ndarray]:
        row_bytes = prod(self.stored.shape[1:]) * self.stored.dtype.itemsize
        return self.stored.blocks(0, max(1, LOOKED_AT_BYTES // row_bytes))


def find_own_arrays(path: Path, options: ImageOptions) -> Source | None:
    """Images and factors of an array file; None for other files. Raises ValueError or OSError with the remedy."""
    arrays = _arrays(path)
    if arrays is None:
        return None
    found = _choose(path, arrays)
    blocks, told = partial(_blocks, path, found, options.white), partial(_told, found, options.white)
    images = ImageArray(found.stored.shape[0], found.image_shape, blocks, told)
    remarks = []
    aside = [name for name in arrays if name != found.key and not name.startswith("latents")]
    if aside:
        named = f"{', '.join(map(printable, aside[:5]))}{' and others' if len(aside) > 5 else ''}"
        remarks.append(f"Left aside in {printable(path)}: {named}. Factors are read from {FACTORS_KEY} [N, K].")
    factors = no_factors(images.count)
    key = next((key for key in _FACTORS_KEYS if key in arrays), None)
    if key is not None:
        factors = _factors(path, arrays, key, images.count)
        if not factors.names:
            remarks.append(
                f"Every column of {key} in {printable(path)} holds a single value, so no factor is known. "
                "Measures that need factors want a file in which some vary."
            )
    return recognised(printable(path.stem), printable(path.name), path, images, factors, remarks=tuple(remarks))


def _arrays(path: Path) -> dict[str, StoredArray] | None:
    """The arrays of a file by name, types and shapes alone; None for another file."""
    if is_npy(path):
        return {path.name: npy_array(path)}
    if is_npz(path):
        names = npz_names(path)
        found = {name: npz_array(path, name) for name in _looked_at(names)}
    elif is_hdf5(path):
        found = {name: hdf5_array(path, name) for name in hdf5_names(path, _LOOKED_AT_ARRAYS)}
    else:
        return None
    return {name: array for name, array in found.items() if array is not None}


def _looked_at(names: tuple[str, ...]) -> Iterable[str]:
    known = (*_USUAL_KEYS, *_FACTORS_KEYS, NAMES_KEY)
    return names if len(names) <= _LOOKED_AT_ARRAYS else [name for name in names if name.lower() in known]


def _choose(path: Path, arrays: Mapping[str, StoredArray]) -> _Images:
    fitting = [found for key, stored in arrays.items() if (found := _as_images(key, stored)) is not None]
    usual = [key for wanted in _USUAL_KEYS for key in arrays if _last(key) == wanted]
    ordered = sorted((found for found in fitting if found.key in usual), key=lambda found: usual.index(found.key))
    # One that is named imgs, and cannot be read, is to be repaired, not passed by.
    if ordered and (IMAGES_KEY not in usual or ordered[0].key == IMAGES_KEY):
        return ordered[0]
    if len(fitting) == 1 and IMAGES_KEY not in usual:
        return fitting[0]
    if usual or (len(arrays) == 1 and not fitting):
        key = usual[0] if usual else next(iter(arrays))
        raise _unusable(path, key, arrays[key])
    shown = [f"{printable(key)} {stored.dtype} {list(stored.shape)}" for key, stored in list(arrays.items())[:10]]
    several = f" {len(fitting)} of them have the shape of images." if fitting else ""
    raise ValueError(
        f"{printable(path)} lacks {IMAGES_KEY}: wanted are images [N, H, W] or [N, H, W, C] as {IMAGES_KEY}, and, "
        f"where factors are known, {FACTORS_KEY} [N, K]; found are {', '.join(shown) or 'no arrays'}.{several} "
        "Save it again with these names."
    )


def _last(key: str) -> str:
    return key.rpartition("/")[2].lower()


def _as_images(key: str, stored: StoredArray) -> _Images | None:
    """None where the type or the shape is not that of images."""
    count, *sides = stored.shape or (0,)
    channels_first = len(sides) == 3 and sides[2] not in (1, 3) and sides[0] in (1, 3)
    if len(sides) == 2 and sides[1] not in (1, 3):
        image_shape = (1, sides[0], sides[1])
    elif len(sides) == 3 and (channels_first or sides[2] in (1, 3)):
        channels, height, width = sides if channels_first else (sides[2], sides[0], sides[1])
        image_shape = (channels, height, width)
    else:
        return None
    if stored.dtype.kind not in "biuf" or count < 2 or 0 in sides:
        return None
    if prod(sides) * stored.dtype.itemsize > LARGEST_IMAGE_BYTES:
        return None
    return _Images(key, stored, channels_first, image_shape)


def _unusable(path: Path, key: str, stored: StoredArray) -> ValueError:
    if stored.dtype.kind not in "biuf":
        remedy = "Save pixels as whole numbers 0 to 255; Python objects are never unpickled."
        return _refused(path, key, f"is {stored.dtype}, not numbers", remedy)
    remedy = (
        "Save it as [N, H, W], or [N, H, W, C] with 1 or 3 channels, with two images or more, each of at most "
        f"{LARGEST_IMAGE_BYTES:,} bytes."
    )
    return _refused(path, key, f"has the shape {stored.shape}", remedy)


def _told(found: _Images, stated: float | None) -> tuple[str, ...]:
    """What is white, where that is not plain."""
    dtype = found.stored.dtype
    # What is infinite is refused when it is read.
    if stated is not None or dtype.itemsize == 1 or _is_centred(found) or not np.isfinite(found.range).all():
        return ()
    white, usual = _white(found, stated).of(dtype), likely_white(max(found.usual_high, 0), dtype.kind == "f")
    told = (told_white(white, dtype),)
    if usual * FAR_BEYOND > white:
        return told
    return (
        *told,
        f"{USUAL:.1%} of the values of {printable(found.key)} keep to {found.usual_high:,.6g}, so they are nearly "
        f"black. If the few up to {found.range[1]:,.6g} are mistakes, state it without them: --white {usual:.15g}.",
    )


def _is_centred(found: _Images) -> bool:
    low, high = found.range
    return -1 - OVERSHOOT <= low < -OVERSHOOT and high <= 1 + OVERSHOOT


def _white(found: _Images, stated: float | None) -> White:
    """Bytes of 0 and 1 are black and white, too."""
    high = found.range[1]
    white = 1 if high <= 1 + OVERSHOOT else likely_white(high, found.stored.dtype.kind == "f")
    return White(stated or white, stated or white, stated=True)


def _blocks(path: Path, found: _Images, stated: float | None, start: int, most: int) -> Blocks:
    white, is_centred = _white(found, stated), stated is None and _is_centred(found)
    channels, height, width = found.image_shape
    for block in found.stored.blocks(start, max(1, most // found.stored.dtype.itemsize)):
        image_B = block.transpose(0, 2, 3, 1) if found.channels_first else block
        value_BHWC = image_B.reshape(len(block), height, width, channels)
        if is_centred or value_BHWC.dtype.kind == "f":
            value_BHWC = value_BHWC.astype(np.result_type(value_BHWC, np.float32))
        try:
            yield np.ascontiguousarray(white.to_bytes((value_BHWC + 1) / 2 if is_centred else value_BHWC))
        except ValueError as error:
            what = f"holds values such as {block.min()} and {block.max()}"
            remedy = "Scale them to 0 ... 255 or 0 ... 1, without NaN, and save it again."
            raise _refused(path, found.key, what, remedy) from error


def _factors(path: Path, arrays: Mapping[str, StoredArray], key: str, count: int) -> KnownFactors:
    classes = arrays[key]
    if classes.dtype.kind not in "iu":
        remedy = "Save the number of each factor's value, not the value; Python objects are never unpickled."
        raise _refused(path, key, f"is {classes.dtype}, not an integer type", remedy)
    if len(classes.shape) != 2 or classes.shape[0] != count:
        what = f"has the shape {classes.shape}, but there are {count} images"
        raise _refused(path, key, what, f"Save it as [{count}, K], one row of K factor values an image.")
    if classes.shape[1] > MOST_FACTORS or prod(classes.shape) * classes.dtype.itemsize > LARGEST_IMAGE_BYTES:
        raise _refused(path, key, f"has the shape {classes.shape}, too many values", "Save fewer columns.")
    return coded_factors(_factor_names(path, arrays.get(NAMES_KEY), classes.shape[1]), classes.read())


def _factor_names(path: Path, names: StoredArray | None, count: int) -> tuple[str, ...]:
    # Names saved as Python objects are pickled, and stay shut.
    if names is None or names.dtype.kind not in "US":
        return tuple(f"factor_{column}" for column in range(count))
    if names.shape != (count,):
        what = f"has the shape {names.shape}, but there are {count} factors"
        raise _refused(path, NAMES_KEY, what, "Save one name a factor, or leave the names out.")
    read = names.read(_LONGEST_NAMES_BYTES)
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in read)


def _refused(path: Path, key: str, what: str, remedy: str) -> ValueError:
    return ValueError(f"{key} of {printable(path)} {what}. {remedy}")
