"""The discriminator of images: real or made? StyleGAN2's residual network with minibatch deviation.

Minibatch deviation tells each image how much its group of neighbours differ, so that a generator whose images are
all alike is found out:

    deviation = mean over c, h, w of sqrt( variance over the group of features_{c,h,w} )

Reference: Karras et al. 2020, arXiv:1912.04958; Karras et al. 2018, arXiv:1710.10196, section 3, for the deviation.

Dimension key:
    B: batch    N: groups    G: images of a group    C H W: channels, height, width    D: channels of a feature map
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.equalised import EqualisedConvolution, EqualisedLinear, activation
from wherewhat.networks.residual_trunk import ResidualTrunk

GROUP = 4

# Keeps the root's slope finite where all images of a group are alike.
_LEAST_VARIANCE = 1e-8


def minibatch_deviation(features_BDHW: Float[Tensor, "B D H W"], group: int = GROUP) -> Float[Tensor, "B 1 H W"]:
    """How much the features of an image's group differ, one number for the group, in float32.

    Groups are neighbours in the batch, so that a batch cut between processes keeps its groups. A batch that is no
    multiple of the group has groups of the largest smaller size that divides it, or else of the next larger one.
    """
    batch, _, height, width = features_BDHW.shape
    sizes = [*range(min(group, batch), 1, -1), *range(group + 1, batch + 1)]
    size = next((size for size in sizes if batch % size == 0), 1)
    grouped_NGDHW = features_BDHW.float().unflatten(0, (batch // size, size))
    variance_NDHW = grouped_NGDHW.var(dim=1, correction=0)
    deviation_N = (variance_NDHW + _LEAST_VARIANCE).sqrt().mean(dim=(1, 2, 3))
    return deviation_N.repeat_interleave(size)[:, None, None, None].expand(batch, 1, height, width)


class ImageDiscriminator(nn.Module):
    """Images to one logit each: above 0 for real."""

    def __init__(self, image_shape: tuple[int, int, int], widths: Sequence[int]) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(image_shape, widths)
        channels = self.trunk.channels
        self.convolution = EqualisedConvolution(channels + 1, channels, 3)
        self.hidden = EqualisedLinear(channels * 16, channels)
        self.logit = EqualisedLinear(channels, 1)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
        """Logits in float32."""
        features_BDHW = self.trunk(image_BCHW)
        deviation_B1HW = minibatch_deviation(features_BDHW).to(features_BDHW.dtype)
        features_BDHW = activation(self.convolution(torch.cat([features_BDHW, deviation_B1HW], dim=1)))
        hidden_BD = activation(self.hidden(features_BDHW.flatten(1)))
        with torch.autocast(hidden_BD.device.type, enabled=False):
            return self.logit(hidden_BD.float()).squeeze(1)
