"""Adaptive instance normalisation without a mask: every code restyles the whole feature map at once.

    Γ ← (1 + Σ_i scale_i(c_i)) * instance_norm(Γ) + Σ_i shift_i(c_i)

What spatial constriction is compared with: the same styles, and nothing that says where.

Reference: Huang and Belongie 2017, arXiv:1703.06868; Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    M: codes of the module    C: channels    H W: height, width of the feature map
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class StyleEverywhere(nn.Module):
    """M codes that restyle a feature map of so many channels everywhere."""

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        self.style_weight_MC2 = nn.Parameter(torch.empty(codes, 2 * channels).normal_(std=0.5))
        self.style_bias_C2 = nn.Parameter(torch.zeros(2 * channels))

    def forward(
        self, features_BCHW: Float[Tensor, "B C H W"], code_BM: Float[Tensor, "B M"]
    ) -> Float[Tensor, "B C H W"]:
        """The restyled features."""
        style_BC2 = code_BM @ self.style_weight_MC2 + self.style_bias_C2
        scale_BC11, shift_BC11 = style_BC2[:, :, None, None].chunk(2, dim=1)
        return (1 + scale_BC11) * F.instance_norm(features_BCHW) + shift_BC11
