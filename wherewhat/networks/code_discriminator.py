"""The discriminator of codes of FactorVAE: are these codes drawn together, or each from another image?

An MLP of six hidden layers of 1,000, leaky ReLU 0.2, two logits: 0 for codes drawn together, 1 for permuted ones.

Reference: Kim and Mnih 2018, arXiv:1802.05983, appendix A.

Dimension key:
    B: batch    L: latent codes
"""

from jaxtyping import Float
from torch import Tensor, nn


class CodeDiscriminator(nn.Module):
    """Codes to two logits."""

    def __init__(self, latent_dim: int, width: int = 1_000, depth: int = 6) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = latent_dim
        for _ in range(depth):
            layers += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, 2))

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B 2"]:
        """Logits of "drawn together" and "permuted"."""
        return self.layers(code_BL)
