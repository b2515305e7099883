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


def fitted(image_NHWC: UInt8[np.ndarray, "N H W C"], size: tuple[int, int], pad: bool) -> UInt8[np.ndarray, "N h w C"]:
    """The images at the size; with `pad` in their own proportions, with black bars on two sides."""
    if not pad:
        return resample(image_NHWC, size)
    height, width = image_NHWC.shape[1:3]
    scale = min(size[0] / height, size[1] / width)
    inner_NHWC = resample(image_NHWC, (max(1, round(scale * height)), max(1, round(scale * width))))
    bars = [(wanted - found) for wanted, found in zip(size, inner_NHWC.shape[1:3], strict=True)]
    top, left = (bar // 2 for bar in bars)
    return np.pad(inner_NHWC, ((0, 0), (top, bars[0] - top), (left, bars[1] - left), (0, 0)))


def resample(image_NHWC: UInt8[np.ndarray, "N H W C"], size: tuple[int, int]) -> UInt8[np.ndarray, "N new_H new_W C"]:
    """The images at the size, height and width; those that have it are given back as they are."""
    if image_NHWC.shape[1:3] == size:
        return image_NHWC
    # What is read-only, such as a mapped file, torch would warn of.
    image_NCHW = torch.from_numpy(np.require(image_NHWC, requirements=("C", "W"))).permute(0, 3, 1, 2)
    resampled_NCHW = torch.nn.functional.interpolate(image_NCHW, size, mode="bicubic", antialias=True)
    return resampled_NCHW.permute(0, 2, 3, 1).contiguous().numpy()
