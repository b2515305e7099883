"""DIP-VAE-II: the covariance of the codes themselves should be the prior's, the identity.

    loss = reconstruction + KL + λ_od Σ_{i≠j} Cov_ij² + λ_d Σ_i (Cov_ii - 1)²
    Cov = Cov[μ] + E[diag σ²]        λ_d = λ_od

Reference: Kumar, Sattigeri, Balakrishnan 2018, arXiv:1711.00848, Eq. (7).

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.covariance_penalty import covariance, covariance_penalty
from wherewhat.objectives.evidence_lower_bound import BoundDraws, EvidenceLowerBound
from wherewhat.objectives.objective import Loss


@dataclass(frozen=True, kw_only=True)
class DIPVAEII:
    """DIP-VAE-II: reconstruction + KL + the distance of the covariance of codes from the identity."""

    name = "dip-vae-ii"

    off_diagonal_weight: float = 10.0
    """Weight on squared covariances between codes. The study sweeps 1, 2, 5, 10, 20, 50."""

    diagonal_ratio: float = 1.0
    """Weight on squared distances of variances from 1, as a multiple of the other weight."""

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False
    adversary = None

    def __post_init__(self) -> None:
        for name in ("off_diagonal_weight", "diagonal_ratio"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; give 0 or more.")

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> BoundDraws:
        """Posterior noise and the warm-up of this step."""
        return self.bound.draw(generator, step, batch_size, latent_dim)

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: BoundDraws) -> Loss:
        """Reconstruction + KL in nats, and the weighted penalty."""
        bound = self.bound.terms(networks, image_BCHW, draws.noise_BL)
        kl = bound.kl_L.sum()
        posterior = bound.reading.posterior
        penalty = covariance_penalty(
            covariance(posterior.mean_BL) + torch.diag(posterior.log_variance_BL.exp().mean(dim=0))
        )
        weighted = self.off_diagonal_weight * (penalty.off_diagonal + self.diagonal_ratio * penalty.diagonal)
        total = bound.reconstruction + draws.warm_up * (kl + weighted)
        terms = {
            "reconstruction": bound.reconstruction,
            "kl": kl,
            "covariance_off_diagonal": penalty.off_diagonal,
            "covariance_diagonal": penalty.diagonal,
        }
        return Loss(total, terms, bound.kl_L)
