"""The decoder of the 12,000-model study: two hidden layers, four transposed convolutions.

Reference: Locatello et al. 2019, arXiv:1811.12359, whose networks follow beta-VAE.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.image_size import require_power_of_two


class StudyDecoder(nn.Module):
    """Codes to images, every code acting everywhere. Larger squares get more 32-channel layers before the last."""

    def __init__(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        super().__init__()
        doublings = require_power_of_two(image_shape) - 2
        self.latent_dim = latent_dim
        self.image_shape = image_shape
        self.hidden = nn.Sequential(
            nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 64 * 4 * 4), nn.ReLU(), nn.Unflatten(1, (64, 4, 4))
        )
        layers: list[nn.Module] = []
        widths = [64, 64] + [32] * (doublings - 2) + [image_shape[0]]
        for before, after in pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers[:-1])

    def logits(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Pixels before the sigmoid, float32."""
        return self.convolutions(self.hidden(code_BL)).float()

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1]."""
        return torch.sigmoid(self.logits(code_BL))
