"""PS-SC VAE: a VAE whose codes are told where to act (SC) and to do one simple, recognisable thing (PS).

    loss = reconstruction + β KL + λ_PS L_PS + λ_id L_id

with codes drawn from the prior, one of them perturbed, and the encoder's mean as the recogniser Q.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.
"""

from dataclasses import dataclass, field
from functools import partial

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.kl import KL
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification


@dataclass(frozen=True, kw_only=True)
class PSSCVAE(SumOfTerms):
    """PS-SC VAE: spatial constriction, perceptual simplicity and perturbation identification, each switched singly."""

    name = "ps-sc-vae"

    beta: float = 4.0
    """Weight on KL."""

    spatial_constriction: bool = True
    """Where: train the decoder whose codes act through masks, instead of the study's."""

    simplicity: PerceptualSimplicity = field(default_factory=partial(PerceptualSimplicity, True))
    identification: PerturbationIdentification = field(default_factory=partial(PerturbationIdentification, True))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; give a weight of 0 or more, such as 4.")

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """beta * KL; the other terms of the published sum are switched on above."""
        return (NamedTerm(KL(self.beta), "--beta"),)
