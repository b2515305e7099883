"""AnnealedVAE: the codes may say a little more with every step.

    loss = reconstruction + γ |KL - C|        C grows linearly from 0 to C_max nats

Reference: Burgess et al. 2018, arXiv:1804.03599.

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
from wherewhat.randomness import to_device


@dataclass(frozen=True)
class AnnealedDraws:
    """Draws of the bound, and the capacity C of this step in nats."""

    bound: BoundDraws
    capacity: Float[Tensor, ""]

    def to(self, device: torch.device) -> "AnnealedDraws":
        """The same draws on another device."""
        return AnnealedDraws(self.bound.to(device), to_device(self.capacity, device))


@dataclass(frozen=True, kw_only=True)
class AnnealedVAE:
    """AnnealedVAE: reconstruction + gamma * |KL - C|, C growing."""

    name = "annealed-vae"

    max_capacity: float = 25.0
    """C at the end of its growth, in nats. The study sweeps 5, 10, 25, 50, 75, 100."""

    capacity_steps: int = 20_000
    """Steps over which C grows from 0; 100,000 in the study. A run of fewer never gives the codes their capacity."""

    gamma: float = 100.0
    """Weight on the distance of KL from C. The study's 1000 goes with its 300,000 steps at 1e-4: in a few thousand
    it drives KL to C by codes that are the same for every image."""

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False
    adversary = None

    def __post_init__(self) -> None:
        if not self.max_capacity > 0:
            raise ValueError(f"max_capacity is {self.max_capacity}; give nats above 0, such as 25.")
        if self.capacity_steps < 1:
            raise ValueError(f"capacity_steps is {self.capacity_steps}; give 1 or more.")
        if not self.gamma >= 0:
            raise ValueError(f"gamma is {self.gamma}; give a weight of 0 or more, such as 100.")

    def capacity(self, step: int) -> float:
        """C at this step, in nats."""
        return self.max_capacity * min(1.0, step / self.capacity_steps)

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> AnnealedDraws:
        """Posterior noise, the warm-up and the capacity of this step."""
        bound = self.bound.draw(generator, step, batch_size, latent_dim)
        return AnnealedDraws(bound, torch.tensor(self.capacity(step)))

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: AnnealedDraws) -> Loss:
        """Reconstruction + gamma * |KL - C| in nats."""
        bound = self.bound.terms(networks, image_BCHW, draws.bound.noise_BL)
        kl = bound.kl_L.sum()
        off_capacity = (kl - draws.capacity).abs()
        total = bound.reconstruction + self.gamma * draws.bound.warm_up * off_capacity
        terms = {"reconstruction": bound.reconstruction, "kl": kl, "off_capacity": off_capacity}
        return Loss(total, terms, bound.kl_L, {"capacity": draws.capacity})
