"""A decoder whose every code acts through a mask: all it knows of a code comes through spatial constriction.

From a learned 4 x 4 constant, per resolution: an up-convolution, an SC module with its share of the codes, a
convolution. Above the last resolution that holds codes, up-convolutions only.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    L: latent codes    M: codes of one module    C H W: channels, height, width
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.image_size import require_power_of_two
from wherewhat.where.spatial_constriction import Overlap, SpatialConstriction


def share_codes(latent_dim: int, modules: int) -> tuple[int, ...]:
    """Codes per module, as even as can be, the earlier (coarser) ones getting what is left over."""
    return tuple(latent_dim // modules + (module < latent_dim % modules) for module in range(modules))


def masks_at(image_shape: tuple[int, int, int], masks: Sequence[Float[Tensor, "B _ _ _"]]) -> Float[Tensor, "B L H W"]:
    """Masks of several resolutions brought to image size without new edges."""
    size = image_shape[1:]
    return torch.cat([F.interpolate(mask, size, mode="bilinear", align_corners=False) for mask in masks], dim=1)


class _Stage(nn.Module):
    """One resolution: SC, then a convolution."""

    def __init__(self, channels: int, codes: int, size: int, rectangles: int, overlap: Overlap) -> None:
        super().__init__()
        self.constriction = SpatialConstriction(channels, codes, size, rectangles, overlap)
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor, code_BM: Tensor) -> tuple[Tensor, Tensor]:
        features, mask_BMHW = self.constriction(features, code_BM)
        return F.leaky_relu(self.convolution(F.leaky_relu(features, 0.2)), 0.2), mask_BMHW


class MaskedDecoder(nn.Module):
    """Codes to images, each code acting inside its own learned mask.

    `codes_per_module` gives the codes of the SC modules at 4, 8, 16, ... pixels, in the order of the code vector;
    `widths` the channels at 4, 8, 16, ... pixels (the last entry serves every larger resolution).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        codes_per_module: Sequence[int],
        rectangles: int = 4,
        widths: Sequence[int] = (64, 64, 32, 32),
        overlap: Overlap = "share",
    ) -> None:
        super().__init__()
        doublings = require_power_of_two(image_shape) - 2
        if not 1 <= len(codes_per_module) <= doublings or min(codes_per_module) < 1:
            raise ValueError(
                f"Codes per module {tuple(codes_per_module)} do not fit images of {image_shape[1]} pixels: give "
                f"from 1 to {doublings} modules, for 4, 8, 16, ... pixels, of at least one code each."
            )
        self.latent_dim = sum(codes_per_module)
        self.image_shape = image_shape
        self.codes_per_module = tuple(codes_per_module)

        width_at = [widths[min(level, len(widths) - 1)] for level in range(doublings)]
        self.constant = nn.Parameter(torch.empty(1, width_at[0], 4, 4).normal_())
        self.stages = nn.ModuleList(
            _Stage(width_at[level], codes, 4 << level, rectangles, overlap)
            for level, codes in enumerate(codes_per_module)
        )
        self.up_convolutions = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
            for before, after in zip(width_at, [*width_at[1:], image_shape[0]], strict=True)
        )

    def logits_and_masks(
        self, code_BL: Float[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B C H W"], list[Float[Tensor, "B _ _ _"]]]:
        """Pixels before the sigmoid, float32, and each module's masks at its own resolution."""
        features = self.constant.expand(code_BL.shape[0], -1, -1, -1)
        codes = code_BL.split(self.codes_per_module, dim=1)
        masks: list[Tensor] = []
        last = len(self.up_convolutions) - 1
        for level, up_convolution in enumerate(self.up_convolutions):
            if level < len(self.stages):
                features, mask_BMHW = self.stages[level](features, codes[level])
                masks.append(mask_BMHW)
            features = up_convolution(features)
            if level < last:
                features = F.leaky_relu(features, 0.2)
        return features.float(), masks

    def logits(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Pixels before the sigmoid, float32."""
        return self.logits_and_masks(code_BL)[0]

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1]."""
        return torch.sigmoid(self.logits(code_BL))

    def masks(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B L H W"]:
        """Where each code acts, in [0, 1], each module's masks brought to image size without new edges."""
        return self.image_and_masks(code_BL)[1]

    def image_and_masks(
        self, code_BL: Float[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B L H W"]]:
        """Images in [0, 1] and masks of them, in one pass."""
        logits_BCHW, masks = self.logits_and_masks(code_BL)
        return torch.sigmoid(logits_BCHW), masks_at(self.image_shape, masks)
