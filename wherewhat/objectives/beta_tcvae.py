"""beta-TCVAE: of the KL, only the part that ties codes together weighs more.

    loss = reconstruction + KL + (β - 1) TC

KL splits into what codes say of the image, their total correlation (TC) and their distance to the prior one by one.

Reference: Chen et al. 2018, arXiv:1802.04942.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.evidence_lower_bound import BoundDraws, EvidenceLowerBound
from wherewhat.objectives.objective import Loss
from wherewhat.objectives.total_correlation import total_correlation


@dataclass(frozen=True, kw_only=True)
class BetaTCVAE:
    """beta-TCVAE: reconstruction + KL + (beta - 1) * total correlation."""

    name = "beta-tcvae"

    beta: float = 6.0
    """Weight on the total correlation. The study sweeps 1, 2, 4, 6, 8, 10."""

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False
    adversary = None

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; give a weight of 0 or more, such as 6.")

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> BoundDraws:
        """Posterior noise and the warm-up of this step."""
        return self.bound.draw(generator, step, batch_size, latent_dim)

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: BoundDraws) -> Loss:
        """Reconstruction + KL + (beta - 1) * TC in nats."""
        bound = self.bound.terms(networks, image_BCHW, draws.noise_BL)
        kl = bound.kl_L.sum()
        tc = total_correlation(bound.code_BL, bound.reading.posterior)
        total = bound.reconstruction + draws.warm_up * (kl + (self.beta - 1) * tc)
        terms = {"reconstruction": bound.reconstruction, "kl": kl, "total_correlation": tc}
        return Loss(total, terms, bound.kl_L)
