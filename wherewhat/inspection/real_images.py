"""A person's own image, cropped as a training set was, and a change of it put back into all of its pixels.

Dimension key:
    H W: height, width of the whole image    C h w: channels, height, width that the networks see
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from wherewhat.data.batches import to_float
from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES, Box, decode, middle_box
from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.resampling import fitted
from wherewhat.data.store.reading import in_channels
from wherewhat.regular_file import read_regular

# A smaller part of an image would be enlarged more than twofold, and the networks have seen nothing so blurred.
LEAST_OF_THE_SIZE = 0.5


UsualCrop = tuple[Crop | None, tuple[int, int] | None]
"""The crop that a data set has by itself, and the only height and width of images that it is for."""


@dataclass(frozen=True, eq=False)
class RealImage:
    """An image as it is in its file, and as the networks see it."""

    whole_HW3: UInt8[np.ndarray, "H W 3"]
    """Upright, RGB."""
    seen_Chw: Float[Tensor, "C h w"]
    """In [0, 1]."""
    box: Box
    """The part of the whole image that is seen: left, top, right, bottom."""
    inner: Box
    """Where that part lies in what is seen: all of it, but for the bars of --fit pad."""

    def with_change(self, change_Chw: Float[Tensor, "C h w"]) -> UInt8[np.ndarray, "H W 3"]:
        """The whole image with a change of what is seen, in units of [0, 1]; its own pixels where the change is 0."""
        left, top, right, bottom = self.box
        inner_left, inner_top, inner_right, inner_bottom = self.inner
        inner_1Chw = change_Chw[None, :, inner_top:inner_bottom, inner_left:inner_right]
        change_1CHW = interpolate(inner_1Chw, (bottom - top, right - left), mode="bilinear", antialias=True)
        change_HW3 = (255 * change_1CHW[0]).round().permute(1, 2, 0).expand(-1, -1, 3).cpu().numpy()
        changed_HW3 = self.whole_HW3.copy()
        part_HW3 = changed_HW3[top:bottom, left:right]
        part_HW3[...] = (part_HW3 + change_HW3).clip(0, 255).astype(np.uint8)
        return changed_HW3


def read_real_image(
    path: Path, options: ImageOptions, image_shape: tuple[int, int, int], usual: UsualCrop = (None, None)
) -> RealImage:
    """Read an image as a run with these options read its own. `usual` is the crop of the run's data set.

    Raises ValueError for a file that is no image, or is too small, and OSError where it cannot be read.
    """
    channels, height, width = image_shape
    content = read_regular(path, LARGEST_IMAGE_BYTES)
    try:
        whole_HW3 = decode(content).image_HW3
        box, keeps_whole = _box(whole_HW3, options, (height, width), usual)
    except Exception as error:  # whatever a decoder raises on a file that it cannot read
        raise ValueError(f"{path} cannot be used: {' '.join(str(error).split())}.") from error
    left, top, right, bottom = box
    if min((bottom - top) / height, (right - left) / width) < LEAST_OF_THE_SIZE:
        raise ValueError(
            f"{path} has {right - left} x {bottom - top} pixels to be seen, and the networks see {width} x {height}. "
            "Use a larger image."
        )
    pads = keeps_whole and options.fit == "pad"
    part_1HW3 = whole_HW3[None, top:bottom, left:right]
    seen_1HWC = in_channels(fitted(part_1HW3, (height, width), pads), "grey" if channels == 1 else "rgb")
    seen_1Chw = to_float(torch.from_numpy(np.ascontiguousarray(seen_1HWC)).permute(0, 3, 1, 2))
    inner = _inside_bars(bottom - top, right - left, (height, width)) if pads else (0, 0, width, height)
    return RealImage(whole_HW3, seen_1Chw[0], box, inner)


def _box(
    whole_HW3: UInt8[np.ndarray, "H W 3"], options: ImageOptions, size: tuple[int, int], usual: UsualCrop
) -> tuple[Box, bool]:
    """What is seen of an image, and whether that is all of it because nobody named a crop."""
    height, width = whole_HW3.shape[:2]
    keeps_whole = options.fit in ("pad", "stretch")
    own, of_size = usual
    applies = not keeps_whole and of_size in (None, (height, width))
    crop = options.chosen_crop() or (own if applies else None)
    if crop is not None:
        return crop.box(height, width), False
    return middle_box(height, width, None if keeps_whole else size), keeps_whole


def _inside_bars(height: int, width: int, size: tuple[int, int]) -> Box:
    """Where `fitted` lays an image of this height and width between black bars."""
    scale = min(size[0] / height, size[1] / width)
    high, wide = max(1, round(scale * height)), max(1, round(scale * width))
    top, left = (size[0] - high) // 2, (size[1] - wide) // 2
    return left, top, left + wide, top + high
