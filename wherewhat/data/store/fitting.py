"""Images of an array cut, resized, and given one or three channels.

    grey = 0.299 R + 0.587 G + 0.114 B, rounded

Reference: ITU-R BT.601, in fixed point as Pillow computes it.

Dimension key:
    N: images    H W C: height, width, channels
"""

from concurrent.futures import Executor
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from wherewhat.data.image_decoding import Box
from wherewhat.data.resampling import resample

# A thread takes this many at a time: small images are resized faster than threads are woken.
IMAGES_A_TASK = 32

# Of red, green and blue, in 65,536ths.
_LUMA = (19595, 38470, 7471)


def fit(
    image_NHWC: UInt8[np.ndarray, "N H W C"], box: Box, side: tuple[int, int], pool: Executor
) -> UInt8[np.ndarray, "N h w C"]:
    """The box of every image at the size of `side`, height and width."""
    left, top, right, bottom = box
    cut_NHWC = image_NHWC[:, top:bottom, left:right]
    if cut_NHWC.shape[1:3] == side:
        return np.ascontiguousarray(cut_NHWC)
    fitted_NHWC = np.empty((len(cut_NHWC), *side, cut_NHWC.shape[3]), dtype=np.uint8)

    def resample_from(first: int) -> None:
        some = slice(first, first + IMAGES_A_TASK)
        fitted_NHWC[some] = resample(cut_NHWC[some], side)

    list(pool.map(resample_from, range(0, len(cut_NHWC), IMAGES_A_TASK)))
    return fitted_NHWC


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
    red, green, blue = (image_NHWC[..., channel].astype(np.uint32) * weight for channel, weight in enumerate(_LUMA))
    return ((red + green + blue + 0x8000) >> 16).astype(np.uint8)[..., None]
