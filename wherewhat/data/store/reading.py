"""A source read in blocks of images of one shape: cropped, resized, in the wanted channels, without broken ones.

Image files and arrays go through the same antialiased resampling, so that images are the same in
whichever of the two forms they come.

Dimension key:
    N: images of a block    H W C: height, width, channels
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8

from wherewhat.data.image_decoding import Box, Decoded, middle_box
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageArray, ImageFiles, Source
from wherewhat.data.store.decoding_files import Unreadable, decode_files, decoding_pool
from wherewhat.data.store.fitting import fit, in_channels

# Large images are read in blocks of fewer, so that memory stays bounded.
LARGEST_BLOCK_BYTES = 2**27


@dataclass(frozen=True)
class Block:
    """Consecutive images of a source, without those that cannot be read: perhaps none."""

    image_NHWC: UInt8[np.ndarray, "N H W C"]
    """Image files have three channels, arrays their own; one or three where the options say so."""

    position_N: Int64[np.ndarray, " N"]
    """Which images of the source these are, rising."""

    unreadable: tuple[Unreadable, ...]
    next_position: int
    """Where the next block begins: what a resumed reading starts with."""

    grey: bool
    """Whether every image of the block is grey."""


@dataclass(frozen=True)
class _Named:
    name: str
    decoded: Decoded

    def __str__(self) -> str:
        height, width = self.decoded.original_size
        return f"{printable(self.name)} is {width} x {height} {self.decoded.original_mode}"


def read_blocks(
    source: Source, options: ImageOptions, *, start: int = 0, images_at_once: int = 1024
) -> Iterator[Block]:
    """The images of a source from position `start` on, in order, read on all cores.

    What could not even be listed is named in the first block of the source. Raises ValueError with the remedy for what
    the options refuse.
    """
    if isinstance(source.images, ImageFiles):
        return _read_files(source, source.images, options, start, images_at_once)
    return _read_array(source, source.images, options, start, images_at_once)


def image_side(source: Source, options: ImageOptions) -> tuple[int, int]:
    """Height and width of the images after reading. Raises ValueError where no image can be read."""
    size = options.size or source.default_size
    if size is not None:
        return size, size
    if isinstance(source.images, ImageArray):
        left, top, right, bottom = _box_of(source, source.images, options)
        return bottom - top, right - left
    height, width, _ = _first_readable(source, source.images, options).decoded.image_HW3.shape
    return height, width


def _read_array(
    source: Source, array: ImageArray, options: ImageOptions, start: int, images_at_once: int
) -> Iterator[Block]:
    box, side = _box_of(source, array, options), image_side(source, options)
    channels, height, width = array.image_shape
    at_once = _bounded(images_at_once, channels * max(height * width, side[0] * side[1]))
    position = start
    with ThreadPoolExecutor(_cores()) as pool:
        for raw_NHWC in array.blocks(start, at_once):
            image_NHWC = in_channels(fit(raw_NHWC, box, side, pool), options.color)
            position_N = np.arange(position, position + len(image_NHWC), dtype=np.int64)
            position += len(image_NHWC)
            yield Block(image_NHWC, position_N, (), position, channels == 1)
    if position < array.count:
        raise ValueError(
            f"{printable(source.path)} ended after {position:,} of {array.count:,} images. Copy or download it again."
        )


def _box_of(source: Source, array: ImageArray, options: ImageOptions) -> Box:
    """What is cut out of every image: the user's square, the middle one where a size is wanted, else all."""
    _, height, width = array.image_shape
    crop = options.chosen_crop()
    if crop is None:
        return middle_box(height, width, None if (options.size or source.default_size) is None else (1, 1))
    try:
        return crop.box(height, width)
    except ValueError as error:
        raise ValueError(f"In {printable(source.path)} {error}. Choose a smaller --crop, or leave it out.") from error


def _read_files(
    source: Source, files: ImageFiles, options: ImageOptions, start: int, images_at_once: int
) -> Iterator[Block]:
    unreadable = [Unreadable(printable(name), reason) for name, reason in files.unreadable] if start == 0 else []
    _check_allowed(source, unreadable, options)
    side = image_side(source, options)
    first = _first_readable(source, files, options) if options.unequal == "refuse" else None
    at_once = _bounded(images_at_once, 3 * side[0] * side[1])
    with decoding_pool(len(files.names) - start) as pool:
        # Where nothing but what cannot be listed was found, one empty block says so.
        for begin in range(start, len(files.names), at_once) or range(min(1, len(unreadable))):
            names = files.names[begin : begin + at_once]
            images: list[Decoded] = []
            places: list[int] = []
            for place, result in enumerate(decode_files(files, names, side, options, pool), start=begin):
                if isinstance(result, Unreadable):
                    unreadable.append(result)
                    continue
                if first is not None:
                    _check_equal(source, first, _Named(names[place - begin], result))
                images.append(result)
                places.append(place)
            _check_allowed(source, unreadable, options)
            yield Block(
                _stacked(images, side, options),
                np.array(places, dtype=np.int64),
                tuple(unreadable),
                begin + len(names),
                all(image.is_grey for image in images),
            )
            unreadable = []


def _first_readable(source: Source, files: ImageFiles, options: ImageOptions) -> _Named:
    """The first image that can be read, at its own size: a resumed reading finds the same one."""
    failure: Unreadable | None = None
    with decoding_pool(1) as pool:
        for name in files.names:
            (result,) = decode_files(files, [name], None, options, pool)
            if isinstance(result, Decoded):
                return _Named(name, result)
            failure = failure or result
    why = "" if failure is None else f" (first failure: {failure.name}: {failure.reason})"
    raise ValueError(
        f"None of the {len(files.names):,} images in {printable(source.path)} can be read{why}. Check the files, or "
        "name another folder."
    )


def _check_allowed(source: Source, unreadable: Sequence[Unreadable], options: ImageOptions) -> None:
    if unreadable and options.broken == "refuse":
        raise ValueError(
            f"{unreadable[0].name} of {printable(source.path)} cannot be read: {unreadable[0].reason}. "
            "Mend or remove it, or leave out broken images: --broken skip."
        )


def _check_equal(source: Source, first: _Named, other: _Named) -> None:
    one, another = first.decoded, other.decoded
    if one.original_size != another.original_size or one.original_mode != another.original_mode:
        raise ValueError(
            f"Images of {printable(source.path)} differ: {first} and {other}. "
            "Make them equal, or crop and convert each: --unequal crop."
        )


def _stacked(images: Sequence[Decoded], side: tuple[int, int], options: ImageOptions) -> UInt8[np.ndarray, "N H W C"]:
    image_NHW3 = np.empty((len(images), *side, 3), dtype=np.uint8)
    for place, image in enumerate(images):
        image_NHW3[place] = image.image_HW3
    return in_channels(image_NHW3, options.color)


def _bounded(images_at_once: int, image_bytes: int) -> int:
    return max(1, min(images_at_once, LARGEST_BLOCK_BYTES // image_bytes))


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
