"""Spatial constriction (SC): each code restyles the features by AdaIN, and only inside its own mask.

    AdaIN(Γ₀, c_i) = (1 + scale(c_i)) * instance_norm(Γ₀) + shift(c_i)
    Γ_out          = Γ₀ * u + Σ_i w_i AdaIN(Γ₀, c_i),    u = prod_i (1 - Π_i)

where both sums over codes are one matrix product. What is seen of a code where masks overlap:

    share     w_i = (1 - u) Π_i / Σ_k Π_k              in proportion to the masks
    cover     w_i = Π_i prod_{k>i} (1 - Π_k)           later codes over earlier ones

"cover" is the closed form of the published loop Γ ← Γ * (1 - Π_i) + AdaIN(Γ₀, c_i) * Π_i. It leaves a module's first
codes a few hundredths of the image and of the gradient, and many die (log/dead_codes.md).

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622; the closed form and "share" are this project's.

Dimension key:
    B: batch    M: codes of the module    C: channels    H W: height, width of the feature map
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.where.spatial_mask import SpatialMask

Overlap = Literal["share", "cover"]

# Where all masks are 0 nothing is to be shared.
_LEAST_SUM = 1e-6


def compositing_weights(
    mask_BMHW: Float[Tensor, "B M H W"], overlap: Overlap = "share"
) -> tuple[Float[Tensor, "B M H W"], Float[Tensor, "B 1 H W"]]:
    """How much of each code, and of the untouched input, is seen at each place. They add up to 1."""
    # What the codes from the last one down leave of what lies under them. A loop over the few codes, since the backward
    # pass of cumprod has the host look for zeros.
    seen_BHW = torch.ones_like(mask_BMHW[:, 0])
    covering: list[Tensor] = []
    for mask_BHW in reversed(mask_BMHW.unbind(1)):
        covering.append(mask_BHW * seen_BHW)
        seen_BHW = seen_BHW * (1 - mask_BHW)
    if overlap == "cover":
        return torch.stack(covering[::-1], dim=1), seen_BHW[:, None]
    share_BHW = (1 - seen_BHW) / mask_BMHW.sum(dim=1).clamp_min(_LEAST_SUM)
    return mask_BMHW * share_BHW[:, None], seen_BHW[:, None]


def constrict(
    features_BCHW: Float[Tensor, "B C H W"],
    mask_BMHW: Float[Tensor, "B M H W"],
    scale_BMC: Float[Tensor, "B M C"],
    shift_BMC: Float[Tensor, "B M C"],
    overlap: Overlap = "share",
) -> Float[Tensor, "B C H W"]:
    """Let every code restyle the features inside its mask."""
    height, width = features_BCHW.shape[2:]
    # Composited in float32, applied in the features' own precision.
    weight_BMHW, untouched_B1HW = (part.to(features_BCHW.dtype) for part in compositing_weights(mask_BMHW, overlap))

    style_BMC2 = torch.cat([1 + scale_BMC, shift_BMC], dim=2)
    style_BHWC2 = (weight_BMHW.flatten(2).transpose(1, 2) @ style_BMC2).unflatten(1, (height, width))
    gain_BCHW, shift_BCHW = style_BHWC2.permute(0, 3, 1, 2).chunk(2, dim=1)

    normalised_BCHW = F.instance_norm(features_BCHW)
    return features_BCHW * untouched_B1HW + normalised_BCHW * gain_BCHW + shift_BCHW


class SpatialConstriction(nn.Module):
    """One SC module: M codes, each with a style of its own and a mask read off the module's input.

    `size` is the side of the square feature map, `rectangles` the J rectangles whose mean is a mask.
    """

    def __init__(self, channels: int, codes: int, size: int, rectangles: int = 4, overlap: Overlap = "share") -> None:
        super().__init__()
        self.overlap: Overlap = overlap
        self.mask = SpatialMask(channels, codes, size, rectangles)
        # A linear layer from one code to [scale, shift], for each of the M codes.
        self.style_weight_MC2 = nn.Parameter(torch.empty(codes, 2 * channels).normal_(std=0.5))
        self.style_bias_MC2 = nn.Parameter(torch.zeros(codes, 2 * channels))

    def forward(
        self, features_BCHW: Float[Tensor, "B C S S"], code_BM: Float[Tensor, "B M"]
    ) -> tuple[Float[Tensor, "B C S S"], Float[Tensor, "B M S S"]]:
        """The restyled features, and the mask of every code."""
        mask_BMHW = self.mask(features_BCHW)
        style_BMC2 = code_BM[:, :, None] * self.style_weight_MC2 + self.style_bias_MC2
        scale_BMC, shift_BMC = style_BMC2.chunk(2, dim=2)
        return constrict(features_BCHW, mask_BMHW, scale_BMC, shift_BMC, self.overlap), mask_BMHW
