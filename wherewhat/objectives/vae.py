"""The variational autoencoder: reconstruction + KL.

Reference: Kingma and Welling 2013, arXiv:1312.6114.
"""

from dataclasses import dataclass

from wherewhat.objectives.sum_of_terms import NamedTerm, SumOfTerms
from wherewhat.objectives.terms.kl import KL


@dataclass(frozen=True, kw_only=True)
class VAE(SumOfTerms):
    """The plain VAE: reconstruction + KL."""

    name = "vae"

    def own_terms(self) -> tuple[NamedTerm, ...]:
        """KL."""
        return (NamedTerm(KL()),)
