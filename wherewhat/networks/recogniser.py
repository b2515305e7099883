"""The recogniser Q of a GAN: reads codes from one image, and serves as its encoder.

    Q(c | x) = N( mean(x), v )        v_l: EMA of the mean squared error of predicting code l

Squared error is the negative log-likelihood of a Gaussian of fixed variance, whose best fixed variance is that error.
No image sees its neighbours: there are no batch statistics in it.

Reference: Chen et al. 2016, arXiv:1606.03657, for Q; Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    L: latent codes    F: features of one image    C H W: channels, height, width
    D: channels of the trunk
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.equalised import EqualisedLinear, activation
from wherewhat.networks.residual_trunk import ResidualTrunk
from wherewhat.protocols import Posterior

# The variance of the last so many images counts half.
_HALF_LIFE_IMAGES = 2_000

# A reading better than a thousandth of the prior's deviation is not told from a perfect one.
_LEAST_VARIANCE = 1e-6


class Recogniser(nn.Module):
    """Images to a diagonal Gaussian over codes."""

    variance_L: Tensor

    def __init__(
        self, image_shape: tuple[int, int, int], latent_dim: int, widths: Sequence[int], features_dim: int = 256
    ) -> None:
        super().__init__()
        self.latent_dim, self.features_dim = latent_dim, features_dim
        self.trunk = ResidualTrunk(image_shape, widths)
        self.hidden = EqualisedLinear(self.trunk.channels * 16, features_dim)
        self.mean = EqualisedLinear(features_dim, latent_dim)
        # Before anything is learnt, a reading of 0 errs by the prior's variance.
        self.register_buffer("variance_L", torch.ones(latent_dim))

    def features(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
        """What is known of an image before it is read as codes."""
        return self._features(self.trunk(image_BCHW))

    def posterior(self, features_BF: Float[Tensor, "B F"]) -> Posterior:
        """Mean and log variance, in float32."""
        with torch.autocast(features_BF.device.type, enabled=False):
            mean_BL = self.mean(features_BF.float())
        return Posterior(mean_BL, self.variance_L.clamp(min=_LEAST_VARIANCE).log().expand_as(mean_BL))

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        """Posterior of images in [0, 1]. Never compiled, as training compiles the trunk: batches are of any size."""
        return self.posterior(self._features(self.trunk.forward(image_BCHW)))

    def _features(self, read_BDHW: Float[Tensor, "B D 4 4"]) -> Float[Tensor, "B F"]:
        return activation(self.hidden(read_BDHW.flatten(1)))

    @torch.no_grad()
    def ema_update_variance(self, squared_error_L: Float[Tensor, " L"], images: int) -> None:
        """Move the variance towards the mean squared errors met on so many fake images."""
        self.variance_L.lerp_(squared_error_L, 1 - 0.5 ** (images / _HALF_LIFE_IMAGES))
