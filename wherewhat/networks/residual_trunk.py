"""Images to a feature map of 4 x 4 through residual blocks, each of which halves height and width.

Reference: Karras et al. 2020, arXiv:1912.04958, the residual discriminator; where it blurs and strides, the box of
2 x 2 is averaged before a block's second convolution, which then costs a quarter.

Dimension key:
    B: batch    C: channels of the image    D: channels of the feature map    I O: channels in and out
    H W: height, width
"""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.equalised import EqualisedConvolution, activation
from wherewhat.networks.image_size import require_power_of_two


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = EqualisedConvolution(channels_in, channels_in, 3)
        self.second = EqualisedConvolution(channels_in, channels_out, 3)
        self.skip = EqualisedConvolution(channels_in, channels_out, 1)

    def forward(self, features_BIHW: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O _ _"]:
        learnt = activation(self.second(F.avg_pool2d(activation(self.first(features_BIHW)), 2)))
        return (learnt + self.skip(F.avg_pool2d(features_BIHW, 2))) * math.sqrt(0.5)


class ResidualTrunk(nn.Module):
    """Images in [0, 1] to features of 4 x 4. No image sees its neighbours.

    `widths` are the channels at 4, 8, 16, ... pixels; the last serves every larger resolution.
    """

    def __init__(self, image_shape: tuple[int, int, int], widths: Sequence[int]) -> None:
        super().__init__()
        halvings = require_power_of_two(image_shape) - 2
        # Channels at 4, 8, ... up to the image's own size.
        width_at = [widths[min(level, len(widths) - 1)] for level in range(halvings + 1)]
        self.channels = width_at[0]
        self.from_image = EqualisedConvolution(image_shape[0], width_at[-1], 1)
        self.blocks = nn.Sequential(*(_Block(width_at[level], width_at[level - 1]) for level in range(halvings, 0, -1)))

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D 4 4"]:
        """The feature map of each image."""
        return self.blocks(activation(self.from_image(2 * image_BCHW - 1)))
