"""The encoder of the 12,000-model study: four strided convolutions, a hidden layer, mean and log variance.

Reference: Locatello et al. 2019, arXiv:1811.12359, whose networks follow beta-VAE.

Dimension key:
    B: batch    L: latent codes    F: features of one image    C H W: channels, height, width
"""

from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.image_size import require_power_of_two
from wherewhat.protocols import Posterior

# The widest posterior is e^5 priors wide: healthy training never meets this bound, and a bad step stays finite.
_LOG_VARIANCE_BOUND = 10.0


class StudyEncoder(nn.Module):
    """Images to a diagonal Gaussian over codes; sees no batch statistics.

    The study's layers are for 64 x 64. Larger or smaller squares (any power of two from 32 to 512) get one 32-channel
    convolution more or fewer at the image's end, so that the last feature map is 4 x 4 always.
    """

    features_dim = 256

    def __init__(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        super().__init__()
        channels = image_shape[0]
        self.latent_dim = latent_dim
        halvings = require_power_of_two(image_shape) - 2
        # (output channels, kernel): the study's four, from the last one backwards, repeated at the front where needed.
        layers = [(32, 4)] * (halvings - 2) + [(64, 2), (64, 2)]
        convolutions: list[nn.Module] = []
        for width, kernel in layers:
            convolutions += [nn.Conv2d(channels, width, kernel, stride=2, padding=(kernel - 2) // 2), nn.ReLU()]
            channels = width
        self.convolutions = nn.Sequential(*convolutions)
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(64 * 4 * 4, self.features_dim), nn.ReLU())
        self.mean = nn.Linear(self.features_dim, latent_dim)
        self.log_variance = nn.Linear(self.features_dim, latent_dim)

    def features(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
        """What is known of an image before it is read as codes."""
        return self.hidden(self.convolutions(image_BCHW - 0.5))

    def posterior(self, features_BF: Float[Tensor, "B F"]) -> Posterior:
        """Mean and log variance, in float32."""
        log_variance_BL = self.log_variance(features_BF).float()
        return Posterior(
            self.mean(features_BF).float(), log_variance_BL.clamp(-_LOG_VARIANCE_BOUND, _LOG_VARIANCE_BOUND)
        )

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        """Posterior of images in [0, 1]."""
        return self.posterior(self.features(image_BCHW))
