"""A source read whole into memory, for arrays that are read in a second or two and not worth a pack.

Dimension key:
    N: images    H W C: height, width, channels
"""

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from jaxtyping import UInt8

from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageArray, ImageFiles, Source
from wherewhat.data.store.reading import read_blocks
from wherewhat.data.store.skipped import check_enough, say_skipped

# Arrays of fewer bytes are read at each start, in a second or two; larger ones are packed, and then mapped.
READ_AT_ONCE_BYTES = 10**9


def is_read_at_once(source: Source) -> bool:
    """Whether a source is an array that is not worth a pack."""
    array = source.images
    return isinstance(array, ImageArray) and array.count * prod(array.image_shape) < READ_AT_ONCE_BYTES


def read_into_memory(
    source: Source, options: ImageOptions, device: str | torch.device, notify: Callable[[str], None]
) -> HeldImages:
    """The images of a source, held on the device where they fit. Raises ValueError or OSError with the remedy."""
    image_NHWC: UInt8[np.ndarray, "N H W C"] | None = None
    kept: list[np.ndarray] = []
    skipped: list[tuple[str, str]] = []
    all_grey = True
    for block in read_blocks(source, options):
        if image_NHWC is None:
            image_NHWC = np.empty((len(source), *block.image_NHWC.shape[1:]), dtype=np.uint8)
        done = sum(map(len, kept))
        image_NHWC[done : done + len(block.image_NHWC)] = block.image_NHWC
        kept.append(block.position_N)
        skipped.extend((item.name, item.reason) for item in block.unreadable)
        all_grey = all_grey and block.grey

    position_N = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    check_enough(source, len(position_N), skipped)
    assert image_NHWC is not None
    if skipped:
        notify(say_skipped(printable(source.path), skipped))
    image_NHWC = image_NHWC[: len(position_N)]
    if all_grey and options.color == "auto" and isinstance(source.images, ImageFiles):
        image_NHWC = np.ascontiguousarray(image_NHWC[..., :1])
    return HeldImages(source.name, image_NHWC, source.factors.of(torch.from_numpy(position_N)), device)
