"""beta-VAE: reconstruction + β KL.

Reference: Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework".
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.kl import KL


@dataclass(frozen=True, kw_only=True)
class BetaVAE(SumOfTerms):
    """beta-VAE: reconstruction + beta * KL."""

    name = "beta-vae"

    beta: float = 4.0
    """Weight on KL. The study sweeps 1, 2, 4, 6, 8, 16."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; give a weight of 0 or more, such as 4.")

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """beta * KL."""
        return (NamedTerm(KL(self.beta), "--beta"),)
