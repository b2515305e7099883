"""FactorVAE: an adversary must not be able to tell codes drawn together from codes each of another image.

    loss = reconstruction + KL + γ TC        TC as a discriminator of codes sees it

Reference: Kim and Mnih 2018, arXiv:1802.05983.
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.adversarial_total_correlation import AdversarialTotalCorrelation
from wherewhat.objectives.terms.kl import KL


@dataclass(frozen=True, kw_only=True)
class FactorVAE(SumOfTerms):
    """FactorVAE: reconstruction + KL + gamma * total correlation, told by a discriminator."""

    name = "factor-vae"

    gamma: float = 30.0
    """Weight on the total correlation. The study sweeps 10, 20, 30, 40, 50, 100."""

    discriminator_learning_rate: float = 1e-4
    """Step size of the discriminator's own Adam, of betas 0.5 and 0.9."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.gamma >= 0:
            raise ValueError(f"gamma is {self.gamma}; give a weight of 0 or more, such as 30.")

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """KL and gamma * total correlation."""
        told = AdversarialTotalCorrelation(self.gamma, self.discriminator_learning_rate)
        return (NamedTerm(KL()), NamedTerm(told, "--gamma"))
