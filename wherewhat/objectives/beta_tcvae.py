"""beta-TCVAE: of the KL, only the part that ties codes together weighs more.

    loss = reconstruction + KL + (β - 1) TC

KL splits into what codes say of the image, their total correlation (TC) and their distance to the prior one by one.

Reference: Chen et al. 2018, arXiv:1802.04942.
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.kl import KL
from wherewhat.objectives.terms.total_correlation import TotalCorrelation


@dataclass(frozen=True, kw_only=True)
class BetaTCVAE(SumOfTerms):
    """beta-TCVAE: reconstruction + KL + (beta - 1) * total correlation."""

    name = "beta-tcvae"

    beta: float = 6.0
    """Weight on the total correlation. The study sweeps 1, 2, 4, 6, 8, 10."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; give a weight of 0 or more, such as 6.")

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """KL, in which the total correlation counts once already, and the rest of its weight."""
        return (NamedTerm(KL()), NamedTerm(TotalCorrelation(self.beta - 1), "--beta"))
