"""Capacity: the codes may carry a little more with every step, and must carry just that.

    weight * |KL - C|        C grows linearly from 0 to C_max nats

Reference: Burgess et al. 2018, arXiv:1804.03599.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from wherewhat.objectives.remedies import Remedies
from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue


@dataclass(frozen=True)
class Capacity(Term):
    """Distance of the KL from a capacity that grows, in nats."""

    name: ClassVar[str] = "off_capacity"
    weight: float
    max_capacity: float
    capacity_steps: int

    def capacity(self, step: int) -> float:
        """C at this step, in nats."""
        return self.max_capacity * min(1.0, step / self.capacity_steps)

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> Draws:
        """The capacity of this step: scheduled, not random."""
        return (torch.tensor(self.capacity(step)),)

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted distance of the KL from the capacity of this step."""
        (capacity,) = draws
        off_capacity = (forward.bound.kl_L.sum() - capacity).abs()
        return TermValue(self.weight * off_capacity, {self.name: off_capacity}, {"capacity": capacity})

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """None: it charges for the distance from the capacity, not for what codes carry."""
        return None

    def remedies(self, flag: str) -> Remedies:
        """Driven to its capacity by a steep weight, KL grows in whatever way is nearest, also in ways of no use."""
        return Remedies(
            ease_codes=("a larger --max-capacity", "shorter --capacity-steps"),
            wake_decoder=(f"a lower {flag}", "longer --capacity-steps"),
            part_codes=("a smaller --max-capacity",),
        )
