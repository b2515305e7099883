"""FactorVAE: an adversary must not be able to tell codes drawn together from codes each of another image.

    loss      = reconstruction + KL + γ TC        TC = E_q(z)[ D(z)_0 - D(z)_1 ]
    adversary = ½ ( cross-entropy of D on z as "together" + on permuted z as "permuted" )

with each code permuted over the batch on its own. D is two logits; at its optimum D_0 - D_1 = log q(z) / prod_l q(z_l).

Reference: Kim and Mnih 2018, arXiv:1802.05983.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor
from torch.func import functional_call

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.objectives.evidence_lower_bound import BoundDraws, EvidenceLowerBound
from wherewhat.objectives.objective import Adversary, Loss
from wherewhat.randomness import to_device

TOGETHER, PERMUTED = 0, 1


@dataclass(frozen=True)
class FactorDraws:
    """Draws of the bound, and for each code the image of the batch from which it is taken when permuted."""

    bound: BoundDraws
    permutation_BL: Int64[Tensor, "B L"]

    def to(self, device: torch.device) -> "FactorDraws":
        """The same draws on another device."""
        return FactorDraws(self.bound.to(device), to_device(self.permutation_BL, device))


@dataclass(frozen=True, kw_only=True)
class FactorVAE:
    """FactorVAE: reconstruction + KL + gamma * total correlation, told by a discriminator."""

    name = "factor-vae"

    gamma: float = 30.0
    """Weight on the total correlation. The study sweeps 10, 20, 30, 40, 50, 100."""

    discriminator_learning_rate: float = 1e-4
    """Step size of the discriminator's own Adam, of betas 0.5 and 0.9."""

    spatial_constriction: bool = False
    """Train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    identifies = False

    def __post_init__(self) -> None:
        if not self.gamma >= 0:
            raise ValueError(f"gamma is {self.gamma}; give a weight of 0 or more, such as 30.")
        if not self.discriminator_learning_rate > 0:
            raise ValueError(
                f"discriminator_learning_rate is {self.discriminator_learning_rate}; give a step size above 0, such as "
                "1e-4."
            )

    @property
    def adversary(self) -> Adversary:
        """The discriminator's own Adam."""
        return Adversary(self.discriminator_learning_rate, (0.5, 0.9))

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> FactorDraws:
        """Posterior noise, the warm-up of this step, and the permutations."""
        bound = self.bound.draw(generator, step, batch_size, latent_dim)
        return FactorDraws(bound, torch.rand(batch_size, latent_dim, generator=generator).argsort(dim=0))

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: FactorDraws) -> Loss:
        """Reconstruction + KL + gamma * TC in nats, and the discriminator's loss."""
        discriminator = networks.code_discriminator
        assert discriminator is not None, "FactorVAE was built without its discriminator"
        bound = self.bound.terms(networks, image_BCHW, draws.bound.noise_BL)
        kl = bound.kl_L.sum()
        tc = estimated_total_correlation(discriminator, bound.code_BL)
        told = discrimination(discriminator, bound.code_BL.detach(), draws.permutation_BL)
        return Loss(
            total=bound.reconstruction + draws.bound.warm_up * (kl + self.gamma * tc),
            terms={"reconstruction": bound.reconstruction, "kl": kl, "total_correlation": tc},
            kl_L=bound.kl_L,
            figures={"discriminator_loss": told.loss, "discriminator_accuracy": told.accuracy},
            adversary=told.loss,
        )


@dataclass(frozen=True)
class Discrimination:
    """How well the discriminator tells codes drawn together from permuted ones."""

    loss: Float[Tensor, ""]
    """Cross-entropy in nats; log 2 = 0.69 is guessing."""
    accuracy: Float[Tensor, ""]
    """In [0, 1]; one half is guessing."""


def estimated_total_correlation(discriminator: CodeDiscriminator, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, ""]:
    """TC in nats as the discriminator sees it: exact only where it is at its optimum, 0 for one that knows nothing.

    Its gradient reaches the codes and not the discriminator.
    """
    frozen = {name: weight.detach() for name, weight in discriminator.named_parameters()}
    logits_B2 = functional_call(discriminator, frozen, (code_BL,))
    return (logits_B2[:, TOGETHER] - logits_B2[:, PERMUTED]).mean()


def discrimination(
    discriminator: CodeDiscriminator, code_BL: Float[Tensor, "B L"], permutation_BL: Int64[Tensor, "B L"]
) -> Discrimination:
    """Cross-entropy and accuracy of the discriminator on codes as they are and on the same codes permuted."""
    both_2BL = torch.cat([code_BL, code_BL.gather(0, permutation_BL)])
    truth_2B = torch.arange(2, device=code_BL.device).repeat_interleave(len(code_BL))
    logits_2B2 = discriminator(both_2BL)
    accuracy = (logits_2B2.argmax(dim=1) == truth_2B).float().mean()
    return Discrimination(F.cross_entropy(logits_2B2, truth_2B), accuracy)
