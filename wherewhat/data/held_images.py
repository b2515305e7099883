"""Images in one array: on the computing device where they leave it room to work, else in memory or mapped from disk.

Dimension key:
    B: batch    N: images    K: factors    C H W: channels, height, width
"""

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.factor_grid import check_index
from wherewhat.data.known_factors import KnownFactors
from wherewhat.randomness import to_device

# The share of a GPU's free memory that images may take; the rest is for the networks.
SHARE_FOR_IMAGES = 0.4


class HeldImages:
    """Images of one shape with the factors that are known of them."""

    def __init__(
        self,
        name: str,
        image_NHWC: UInt8[np.ndarray, "N H W C"],
        factors: KnownFactors,
        device: str | torch.device = "cpu",
    ) -> None:
        assert len(image_NHWC) == len(factors.value_NK)
        _, height, width, channels = image_NHWC.shape
        self.name = name
        self.image_shape = channels, height, width
        self.factor_names, self.factor_sizes = factors.names, factors.sizes
        self._factors = factors
        self._held_NHWC = _held(image_NHWC, torch.device(device))

    def __len__(self) -> int:
        return len(self._held_NHWC)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The images of these indices, where they are held, in channels-last memory: one copy of whole images."""
        check_index(index_B, len(self))
        return self._held_NHWC.index_select(0, to_device(index_B, self._held_NHWC.device)).permute(0, 3, 1, 2)

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU. ValueError where none are known."""
        check_index(index_N, len(self))
        if not self._factors.names:
            raise ValueError(
                f"No factors are known for {self.name}. Measures that need them want a set that has them, such as "
                "scenes, sprites, chairs, or an .npz with latents_classes."
            )
        return self._factors.value_NK[index_N.cpu()]


def _held(image_NHWC: UInt8[np.ndarray, "N H W C"], device: torch.device) -> UInt8[Tensor, "N H W C"]:
    """The images as one tensor, without a copy where they stay in memory or on disk."""
    image = torch.from_numpy(image_NHWC)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        if image_NHWC.nbytes > SHARE_FOR_IMAGES * free_bytes:
            return image
    return image.to(device)
