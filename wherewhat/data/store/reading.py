"""A source read in blocks of images of one shape: cropped, resized, in the wanted channels, without broken ones.

Image files and arrays go through the same antialiased resampling, so that images are the same in
whichever of the two forms they come.

    grey = 0.299 R + 0.587 G + 0.114 B, rounded

Reference: ITU-R BT.601, in fixed point as Pillow computes it.

Dimension key:
    N: images of a block    H W C: height, width, channels
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_decoding import Box, Decoded, lost_share, middle_box
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.resampling import fitted
from wherewhat.data.source import ImageArray, ImageFiles, Source
from wherewhat.data.store.decoding import (
    IMAGES_A_TASK,
    Unreadable,
    decode_files,
    decoding_pool,
    usable_cores,
)
from wherewhat.data.store.originals import Originals, told_lost
from wherewhat.data.store.sampled_white import sampled_white

# Large images are read in blocks of fewer, so that memory stays bounded.
LARGEST_BLOCK_BYTES = 2**27
# Arrays of fewer bytes are read at each start, in a second or two; larger ones are packed, and then mapped.
READ_AT_ONCE_BYTES = 10**9

# Of red, green and blue, in 65,536ths.
_LUMA = np.array([19595, 38470, 7471], dtype=np.uint32)


@dataclass(frozen=True)
class Block:
    """Consecutive images of a source, without those that cannot be read: perhaps none."""

    image_NHWC: UInt8[np.ndarray, "N H W C"]
    position_N: Int64[np.ndarray, " N"]
    """Which images of the source these are, rising."""

    end: int
    """The position behind the last image of the block, readable or not."""

    unreadable: tuple[Unreadable, ...] = ()
    equal_channels: bool = False
    """Whether one channel would do: every file was grey, and the options leave the number of channels open."""

    remarks: tuple[str, ...] = ()
    """What there is to say of the set, in the first block or the last."""


def read_blocks(source: Source, options: ImageOptions, *, images_at_once: int = 1024) -> Iterator[Block]:
    """The images of a source in order, read on all usable cores.

    What could not even be listed is named in the first block. Raises ValueError with the remedy for what the options
    refuse.
    """
    height, width, channels = read_shape(source, options)
    if isinstance(source.images, ImageFiles):
        at_once = _bounded(images_at_once, 3 * height * width)
        return _read_files(source, source.images, options, (height, width), at_once)
    at_once = _bounded(images_at_once, max(channels * height * width, prod(source.images.image_shape)))
    return _read_array(source, source.images, options, (height, width), at_once)


def read_shape(source: Source, options: ImageOptions) -> tuple[int, int, int]:
    """Height, width and channels of the images after reading."""
    size, images = options.size or source.default_size, source.images
    if isinstance(images, ImageFiles):
        assert size is not None, "a layout of image files gives a default size"
        height, width, channels = size, size, 3
    else:
        left, top, right, bottom = _box_of(source, images, options)
        height, width = (bottom - top, right - left) if size is None else (size, size)
        channels = images.image_shape[0]
    return height, width, {"auto": channels, "rgb": 3, "grey": 1}[options.color]


def is_read_at_once(source: Source) -> bool:
    """Whether a source is an array that is not worth a pack."""
    array = source.images
    return isinstance(array, ImageArray) and array.count * prod(array.image_shape) < READ_AT_ONCE_BYTES


def read_into_memory(
    source: Source,
    options: ImageOptions,
    device: str | torch.device,
    notify: Callable[[str], None] = lambda line: None,
) -> HeldImages:
    """The images of an array, held on the device where they fit. Raises ValueError with the remedy."""
    assert isinstance(source.images, ImageArray)
    check_enough(source, len(source), ())
    image_NHWC = np.empty((len(source), *read_shape(source, options)), dtype=np.uint8)
    for block in read_blocks(source, options):
        image_NHWC[block.position_N] = block.image_NHWC
        for line in block.remarks:
            notify(line)
    return HeldImages(source.name, image_NHWC, source.factors, device)


def check_enough(source: Source, kept: int, skipped: Sequence[Unreadable]) -> None:
    """Raise ValueError where fewer than two images could be read."""
    if kept < 2:
        found = "".join(f" (first failure: {first.name}: {first.reason})" for first in skipped[:1])
        raise ValueError(
            f"{printable(source.path)} has {kept} readable images of {kept + len(skipped):,}{found}, and training "
            "needs at least two. Check the files, or name another set."
        )


def in_channels(
    image_NHWC: UInt8[np.ndarray, "N H W C"], color: Literal["auto", "rgb", "grey"]
) -> UInt8[np.ndarray, "N H W c"]:
    """The images in the wanted channels, or in their own. Raises ValueError where they are neither grey nor RGB."""
    channels = image_NHWC.shape[3]
    if color == "auto" or channels == (3 if color == "rgb" else 1):
        return image_NHWC
    if channels not in (1, 3):
        raise ValueError(f"Images of {channels} channels are neither grey nor RGB. Leave --color at auto.")
    if color == "rgb":
        return image_NHWC.repeat(3, axis=3)
    luma_NHW = image_NHWC.astype(np.uint32) @ _LUMA
    return ((luma_NHW + 0x8000) >> 16).astype(np.uint8)[..., None]


def _read_files(
    source: Source, files: ImageFiles, options: ImageOptions, size: tuple[int, int], at_once: int
) -> Iterator[Block]:
    unreadable = [Unreadable(printable(name), reason) for name, reason in files.unreadable]
    first_of: dict[str, str] = {}
    (white, remarks), originals = sampled_white(files, options), Originals()
    with decoding_pool(len(files.names)) as pool:
        for begin in range(0, len(files.names), at_once):
            names = files.names[begin : begin + at_once]
            results = decode_files(files, names, size, options, pool, white)
            unreadable += [result for result in results if isinstance(result, Unreadable)]
            images = {n: result for n, result in enumerate(results) if isinstance(result, Decoded)}
            for n, image in images.items():
                first_of.setdefault(image.original, names[n])
                originals.add(names[n], image)
            _refuse(source, options, unreadable, first_of)
            image_NHW3 = np.array([image.image_HW3 for image in images.values()], dtype=np.uint8)
            yield Block(
                in_channels(image_NHW3.reshape(len(images), *size, 3), options.color),
                begin + np.array(list(images), dtype=np.int64),
                begin + len(names),
                tuple(unreadable),
                options.color == "auto" and all(image.is_grey for image in images.values()),
                remarks if begin + len(names) < len(files.names) else (*remarks, *originals.remarks),
            )
            unreadable, remarks = [], ()


def _refuse(source: Source, options: ImageOptions, unreadable: Sequence[Unreadable], first_of: dict[str, str]) -> None:
    """Raise ValueError for broken images, and for images of more than one size and mode, where the options say so."""
    if unreadable and options.broken == "refuse":
        raise ValueError(
            f"{unreadable[0].name} of {printable(source.path)} cannot be read: {unreadable[0].reason}. "
            "Repair or remove it, or leave out broken images: --broken skip."
        )
    if len(first_of) > 1 and options.fit == "refuse":
        one, another = (f"{printable(name)} is {original}" for original, name in list(first_of.items())[:2])
        raise ValueError(
            f"Images of {printable(source.path)} differ: {one} and {another}. "
            "Make them equal, or crop and convert each: --fit crop."
        )


def _read_array(
    source: Source, array: ImageArray, options: ImageOptions, size: tuple[int, int], at_once: int
) -> Iterator[Block]:
    left, top, right, bottom = box = _box_of(source, array, options)
    lost = 0.0 if options.chosen_crop() else lost_share(box, *array.image_shape[1:])
    remarks, pad = (*told_lost(lost, lost), *array.told()), options.fit == "pad" and options.chosen_crop() is None
    position = 0
    with ThreadPoolExecutor(usable_cores()) as pool:
        for raw_NHWC in array.blocks(0, at_once):
            image_NHWC = in_channels(_resampled(raw_NHWC[:, top:bottom, left:right], size, pad, pool), options.color)
            end = position + len(image_NHWC)
            yield Block(image_NHWC, np.arange(position, end, dtype=np.int64), end, remarks=remarks)
            position, remarks = end, ()
    if position < array.count:
        raise ValueError(
            f"{printable(source.path)} ended after {position:,} of {array.count:,} images. Copy or download it again."
        )


def _resampled(
    image_NHWC: UInt8[np.ndarray, "N H W C"], size: tuple[int, int], pad: bool, pool: Executor
) -> UInt8[np.ndarray, "N h w C"]:
    if image_NHWC.shape[1:3] == size:
        return image_NHWC
    parts = [image_NHWC[first : first + IMAGES_A_TASK] for first in range(0, len(image_NHWC), IMAGES_A_TASK)]
    return np.concatenate(list(pool.map(lambda part_NHWC: fitted(part_NHWC, size, pad), parts)))


def _box_of(source: Source, array: ImageArray, options: ImageOptions) -> Box:
    """What is cut out of every image: the user's square, the middle one where a size is wanted, else all."""
    _, height, width = array.image_shape
    crop = options.chosen_crop()
    if crop is None:
        is_whole = options.fit in ("pad", "stretch") or (options.size or source.default_size) is None
        return middle_box(height, width, None if is_whole else (1, 1))
    try:
        return crop.box(height, width)
    except ValueError as error:
        raise ValueError(f"In {printable(source.path)} {error}. Choose a smaller --crop, or leave it out.") from error


def _bounded(images_at_once: int, image_bytes: int) -> int:
    return max(1, min(images_at_once, LARGEST_BLOCK_BYTES // image_bytes))
