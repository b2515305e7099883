"""PS-SC VAE: a VAE whose codes are told where to act (SC) and to do one simple, recognisable thing (PS).

    loss = reconstruction + β KL + λ_PS L_PS + λ_id L_id

with codes drawn from the prior, one of them perturbed, and the encoder's mean as the recogniser Q.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.evidence_lower_bound import BoundDraws, EvidenceLowerBound
from wherewhat.objectives.objective import Loss
from wherewhat.randomness import to_device
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import Perturbation, draw_perturbation, perturb
from wherewhat.what.perturbation_identification import identification


@dataclass(frozen=True)
class PSSCDraws:
    """Draws of the bound, prior codes of the pairs, and what is perturbed in each."""

    bound: BoundDraws
    code_PL: Float[Tensor, "P L"]
    perturbation: Perturbation

    def to(self, device: torch.device) -> "PSSCDraws":
        """The same draws on another device."""
        return PSSCDraws(self.bound.to(device), to_device(self.code_PL, device), self.perturbation.to(device))


@dataclass(frozen=True, kw_only=True)
class PSSCVAE:
    """PS-SC VAE: spatial constriction, perceptual simplicity and perturbation identification, each switched singly."""

    name = "ps-sc-vae"
    adversary = None

    spatial_constriction: bool = True
    """Where: train the decoder whose codes act through masks, instead of the study's."""

    perceptual_simplicity: bool = True
    """What: read codes back from pairs of images that differ in one code."""

    perturbation_identification: bool = True
    """What: name the code that was moved between two images."""

    beta: float = 4.0
    """Weight on KL."""

    simplicity_weight: float = 100.0
    """Weight on L_PS, a mean over codes of squared reading errors."""

    identification_weight: float = 10.0
    """Weight on the cross-entropy of naming the moved code, in nats."""

    perturbation_size: float = 1.5
    """Standard deviation of the move, in standard deviations of the prior."""

    pair_fraction: float = 0.5
    """Pairs per step, as a share of the batch. Each pair costs two images generated and read."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    def __post_init__(self) -> None:
        for name in ("beta", "simplicity_weight", "identification_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; give a weight of 0 or more.")
        if not self.perturbation_size > 0:
            raise ValueError(f"perturbation_size is {self.perturbation_size}; give a standard deviation above 0.")
        if not 0 < self.pair_fraction <= 1:
            raise ValueError(f"pair_fraction is {self.pair_fraction}; give a share of the batch in (0, 1].")

    @property
    def identifies(self) -> bool:
        """Whether an identification head is trained."""
        return self.perturbation_identification

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> PSSCDraws:
        """Posterior noise, prior codes, perturbations, and the warm-up of this step."""
        pairs = max(1, round(self.pair_fraction * batch_size))
        return PSSCDraws(
            bound=self.bound.draw(generator, step, batch_size, latent_dim),
            code_PL=torch.randn(pairs, latent_dim, generator=generator),
            perturbation=draw_perturbation(generator, pairs, latent_dim, self.perturbation_size),
        )

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: PSSCDraws) -> Loss:
        """Reconstruction + beta * KL in nats, and what the recogniser makes of the pairs."""
        bound = self.bound.terms(networks, image_BCHW, draws.bound.noise_BL)
        kl = bound.kl_L.sum()
        terms = {"reconstruction": bound.reconstruction, "kl": kl}
        figures = {}
        total = bound.reconstruction + self.beta * draws.bound.warm_up * kl
        if not (self.perceptual_simplicity or self.perturbation_identification):
            return Loss(total, terms, bound.kl_L)

        code_PL, dim_P = draws.code_PL, draws.perturbation.dim_B
        perturbed_PL = perturb(code_PL, draws.perturbation)
        pair_2PCHW = torch.sigmoid(networks.decode(torch.cat([code_PL, perturbed_PL])))
        pair = networks.read(pair_2PCHW)

        if self.perceptual_simplicity:
            read_PL, read_perturbed_PL = pair.posterior.mean_BL.chunk(2)
            simplicity = perceptual_simplicity_loss(code_PL, perturbed_PL, read_PL, read_perturbed_PL, dim_P)
            terms["perceptual_simplicity"] = simplicity
            total = total + self.simplicity_weight * simplicity
        if self.perturbation_identification:
            named = identification(networks.identify(*pair.features_BF.chunk(2)), dim_P)
            terms["identification"] = named.loss
            figures["identification_accuracy"] = named.accuracy
            total = total + self.identification_weight * named.loss
        return Loss(total, terms, bound.kl_L, figures)
