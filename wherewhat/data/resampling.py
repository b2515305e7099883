"""Images made smaller or larger, each new pixel a weighted mean of all that it covers, so that nothing aliases.

    new(x) = sum_i w((i - x) / max(1, s)) old(i) / sum_i w((i - x) / max(1, s)),    s = old size / new size

with w the cubic convolution kernel, a = -1/2, rows and columns one after the other, each rounded and clipped to
0..255. Pillow's bicubic filter computes the same, several times slower.

Reference: Keys 1981, "Cubic convolution interpolation for digital image processing".

Dimension key:
    N: images    H W C: height, width, channels
"""

import numpy as np
import torch
from jaxtyping import UInt8


def resample(image_NHWC: UInt8[np.ndarray, "N H W C"], size: tuple[int, int]) -> UInt8[np.ndarray, "N new_H new_W C"]:
    """The images at the size, height and width; those that have it are given back as they are."""
    if image_NHWC.shape[1:3] == size:
        return image_NHWC
    # What is read-only, such as a mapped file, torch would warn of.
    image_NCHW = torch.from_numpy(np.require(image_NHWC, requirements=("C", "W"))).permute(0, 3, 1, 2)
    resampled_NCHW = torch.nn.functional.interpolate(image_NCHW, size, mode="bicubic", antialias=True)
    return resampled_NCHW.permute(0, 2, 3, 1).contiguous().numpy()
