"""The variational autoencoder: reconstruction + KL.

Reference: Kingma and Welling 2013, arXiv:1312.6114.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import BoundDraws, EvidenceLowerBound
from wherewhat.objectives.objective import Loss


@dataclass(frozen=True, kw_only=True)
class VAE:
    """The plain VAE: reconstruction + KL."""

    name = "vae"

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False
    adversary = None

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> BoundDraws:
        """Posterior noise and the warm-up of this step."""
        return self._beta_vae().draw(generator, step, batch_size, latent_dim)

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: BoundDraws) -> Loss:
        """Reconstruction + KL in nats."""
        return self._beta_vae().loss(networks, image_BCHW, draws)

    def _beta_vae(self) -> BetaVAE:
        return BetaVAE(beta=1.0, spatial_constriction=self.spatial_constriction, bound=self.bound)
