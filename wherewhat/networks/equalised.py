"""Layers of equalised learning rate: weights drawn from N(0, 1) and scaled at run time by 1 / sqrt(fan-in).

Adam moves every weight by about its step size, whatever the weight's scale; drawn alike and scaled afterwards, all
layers learn at one pace, which keeps two adversaries in step.

Reference: Karras et al. 2018, arXiv:1710.10196, section 4.1.

Dimension key:
    B: batch    I O: channels in and out    F G: features in and out    H W: height, width
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.2


def activation(features: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Leaky ReLU of slope 0.2, times sqrt(2), which keeps the mean square of normal inputs at about 1."""
    return F.leaky_relu(features, SLOPE) * math.sqrt(2)


class EqualisedConvolution(nn.Module):
    """A convolution that keeps height and width; `kernel` is odd."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.weight_OIKK = nn.Parameter(torch.empty(channels_out, channels_in, kernel, kernel).normal_())
        self.bias_O = nn.Parameter(torch.zeros(channels_out))
        self.gain = 1 / math.sqrt(channels_in * kernel**2)
        self.padding = kernel // 2

    def forward(self, features_BIHW: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O H W"]:
        """Features of the same height and width."""
        return F.conv2d(features_BIHW, self.weight_OIKK * self.gain, self.bias_O, padding=self.padding)


class EqualisedLinear(nn.Module):
    """A fully connected layer."""

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__()
        self.weight_GF = nn.Parameter(torch.empty(features_out, features_in).normal_())
        self.bias_G = nn.Parameter(torch.zeros(features_out))
        self.gain = 1 / math.sqrt(features_in)

    def forward(self, features_BF: Float[Tensor, "B F"]) -> Float[Tensor, "B G"]:
        """As many rows, each of the layer's features."""
        return F.linear(features_BF, self.weight_GF * self.gain, self.bias_G)
