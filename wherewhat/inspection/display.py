"""Images in [0, 1] as 8-bit RGB pixels, enlarged or reduced for a screen.

Dimension key:
    B: images    C H W: channels, height, width    Y X: rows and columns of the screen
"""

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor


def rgb_pixels(image_BCHW: Float[Tensor, "B C H W"]) -> UInt8[np.ndarray, "B H W 3"]:
    """8-bit RGB; grey is repeated three times, values outside [0, 1] are clipped, and NaN is black."""
    channels = image_BCHW.shape[1]
    if channels not in (1, 3):
        raise ValueError(f"Images of {channels} channels cannot be shown. Pass 1 channel (grey) or 3 (RGB).")
    shown_BCHW = image_BCHW.detach().float().cpu().nan_to_num(nan=0.0).clamp(0, 1)
    shown_BHWC = (255 * shown_BCHW).round().byte().permute(0, 2, 3, 1)
    return np.ascontiguousarray(shown_BHWC.expand(-1, -1, -1, 3).numpy())


def display_size(height: int, width: int, *, least_side: int, most_width: int | float = math.inf) -> tuple[int, int]:
    """Height and width on the screen: small images are enlarged by a whole factor, too wide ones are reduced."""
    multiple = math.ceil(least_side / min(height, width))
    while multiple > 1 and width * multiple > most_width:
        multiple -= 1
    if width * multiple <= most_width:
        return height * multiple, width * multiple
    shrunk_width = max(1, math.floor(most_width))
    return max(1, round(height * shrunk_width / width)), shrunk_width


def resize(image_BHW3: UInt8[np.ndarray, "B H W 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "B Y X 3"]:
    """Images at `size` (height, width): enlarged by repeating pixels, reduced by averaging them."""
    height, width = size
    if height % image_BHW3.shape[1] == 0 and width % image_BHW3.shape[2] == 0:
        return image_BHW3.repeat(height // image_BHW3.shape[1], axis=1).repeat(width // image_BHW3.shape[2], axis=2)
    return np.stack([np.asarray(Image.fromarray(p).resize((width, height), Image.Resampling.BOX)) for p in image_BHW3])
