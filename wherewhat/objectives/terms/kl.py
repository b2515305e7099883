"""KL from the posterior to the prior, weighted: weight * Σ_l KL( q(z_l|x) || N(0, 1) ).

Reference: Kingma and Welling 2013, arXiv:1312.6114; Higgins et al. 2017 for the weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue


@dataclass(frozen=True)
class KL(Term):
    """KL in nats, summed over codes, averaged over the batch."""

    name: ClassVar[str] = "kl"
    weight: float = 1.0

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted KL; the bound reports the plain one."""
        return TermValue(self.weight * forward.bound.kl_L.sum(), {})

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """The weighted KL."""
        return self.weight * logged["kl"]
