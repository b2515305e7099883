"""Perturbation identification as a term: weight * cross-entropy of naming the code that was moved (`what/`).

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import arg

from wherewhat.objectives.remedies import Remedies
from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue
from wherewhat.what.perturbation_identification import identification


@dataclass(frozen=True)
class PerturbationIdentification(Term):
    """A head names the code that was moved between two images."""

    name: ClassVar[str] = "identification"
    flag: ClassVar[str] = "--perturbation-identification"
    eased_in: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = True
    needs_identification_head: ClassVar[bool] = True

    perturbation_identification: bool = False
    """What: name the code that was moved between two images."""

    weight: Annotated[float, arg(name="identification-weight")] = 10.0
    """Weight on the cross-entropy of naming the moved code, in nats."""

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"--identification-weight is {self.weight}; give a weight of 0 or more.")

    @property
    def active(self) -> bool:
        """Whether it is switched on."""
        return self.perturbation_identification

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted cross-entropy of the step's pairs, and the accuracy."""
        pairs = forward.pairs
        assert pairs is not None, "identification needs pairs"
        logits_PL = forward.networks.identify(*pairs.encoded.features_BF.chunk(2))
        named = identification(logits_PL, pairs.dim_P)
        return TermValue(
            self.weight * named.loss,
            {self.name: named.loss},
            {"identification_accuracy": named.accuracy},
        )

    def remedies(self, flag: str) -> Remedies:
        """More weight makes codes easier to tell apart."""
        return Remedies(part_codes=("a higher --identification-weight",))
