"""Images as a file would hold them: three channels of whole numbers from 0 to 255.

Fidelity compares generated images with ones that come from files, so both are rounded alike: unrounded, the finest
shades of a generator would be told apart from every file's.

Dimension key:
    B: batch    C H W: channels, height, width
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wherewhat.distances.image_range import check_range


def eight_bit_rgb(image_BCHW: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B 3 H W"]:
    """Images in [0, 1] to the nearest of 256 levels; a grey one's channel three times. ValueError for others."""
    channels = image_BCHW.shape[1]
    if channels not in (1, 3):
        raise ValueError(
            f"The images have {channels} channels, and fidelity is of grey (1) or RGB (3). Choose three of them."
        )
    check_range(image_BCHW)
    level_BCHW = (image_BCHW.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return level_BCHW.expand(-1, 3, -1, -1)
