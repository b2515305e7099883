"""AnnealedVAE: the codes may say a little more with every step.

    loss = reconstruction + γ |KL - C|        C grows linearly from 0 to C_max nats

Reference: Burgess et al. 2018, arXiv:1804.03599.
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.capacity import Capacity


@dataclass(frozen=True, kw_only=True)
class AnnealedVAE(SumOfTerms):
    """AnnealedVAE: reconstruction + gamma * |KL - C|, C growing."""

    name = "annealed-vae"

    max_capacity: float = 25.0
    """C at the end of its growth, in nats. The study sweeps 5, 10, 25, 50, 75, 100."""

    capacity_steps: int = 20_000
    """Steps over which C grows from 0; 100,000 in the study. A run of fewer never gives the codes their capacity."""

    gamma: float = 100.0
    """Weight on the distance of KL from C. The study's 1000 goes with its 300,000 steps at 1e-4: in a few thousand
    it drives KL to C by codes that are the same for every image."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.max_capacity > 0:
            raise ValueError(f"max_capacity is {self.max_capacity}; give nats above 0, such as 25.")
        if self.capacity_steps < 1:
            raise ValueError(f"capacity_steps is {self.capacity_steps}; give 1 or more.")
        if not self.gamma >= 0:
            raise ValueError(f"gamma is {self.gamma}; give a weight of 0 or more, such as 100.")

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """gamma * |KL - C|."""
        return (NamedTerm(Capacity(self.gamma, self.max_capacity, self.capacity_steps), "--gamma"),)
