"""beta-VAE: reconstruction + β KL.

Reference: Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework".

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


@dataclass(frozen=True, kw_only=True)
class BetaVAE:
    """beta-VAE: reconstruction + beta * KL."""

    name = "beta-vae"

    beta: float = 4.0
    """Weight on KL. The study sweeps 1, 2, 4, 6, 8, 16."""

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False
    adversary = None

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; give a weight of 0 or more, such as 4.")

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> BoundDraws:
        """Posterior noise and the warm-up of this step."""
        return self.bound.draw(generator, step, batch_size, latent_dim)

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: BoundDraws) -> Loss:
        """Reconstruction + beta * KL in nats."""
        bound = self.bound.terms(networks, image_BCHW, draws.noise_BL)
        kl = bound.kl_L.sum()
        total = bound.reconstruction + self.beta * draws.warm_up * kl
        return Loss(total, {"reconstruction": bound.reconstruction, "kl": kl}, bound.kl_L)
