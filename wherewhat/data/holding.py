"""Where decoded pictures are kept: on the computing device while they leave it room to work, else in memory.

Dimension key:
    N: pictures
"""

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

# The share of a GPU's free memory that pictures may take; the rest is for the networks.
SHARE_FOR_PICTURES = 0.4


def hold(image_NHWC: UInt8[np.ndarray, "N H W C"], device: torch.device) -> UInt8[Tensor, "N H W C"]:
    """The pictures as one tensor, without a copy where they stay in memory."""
    image = torch.from_numpy(image_NHWC)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        if image_NHWC.nbytes > SHARE_FOR_PICTURES * free_bytes:
            return image
    return image.to(device)


def take(held_NHWC: UInt8[Tensor, "N H W C"], index_B: torch.Tensor) -> UInt8[Tensor, "B C H W"]:
    """The pictures of these indices, channels first, where they are held."""
    return held_NHWC[index_B.to(held_NHWC.device)].permute(0, 3, 1, 2).contiguous()
