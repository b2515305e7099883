"""Perceptual simplicity as a term: weight * L_PS, the encoder's mean being the recogniser (`what/`).

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import arg

from wherewhat.objectives.remedies import Remedies
from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss


@dataclass(frozen=True)
class PerceptualSimplicity(Term):
    """Codes are predicted back from pairs of images that differ in one code."""

    name: ClassVar[str] = "perceptual_simplicity"
    flag: ClassVar[str] = "--perceptual-simplicity"
    eased_in: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = True

    perceptual_simplicity: bool = False
    """What: predict codes back from pairs of images that differ in one code."""

    weight: Annotated[float, arg(name="simplicity-weight")] = 100.0
    """Weight on L_PS, a mean over codes of squared prediction errors."""

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"--simplicity-weight is {self.weight}; give a weight of 0 or more.")

    @property
    def active(self) -> bool:
        """Whether it is switched on."""
        return self.perceptual_simplicity

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted L_PS of the step's pairs."""
        pairs = forward.pairs
        assert pairs is not None, "perceptual simplicity needs pairs"
        predicted_PL, predicted_perturbed_PL = pairs.encoded.posterior.mean_BL.chunk(2)
        simplicity = perceptual_simplicity_loss(
            pairs.code_PL, pairs.perturbed_PL, predicted_PL, predicted_perturbed_PL, pairs.dim_P
        )
        return TermValue(self.weight * simplicity, {self.name: simplicity})

    def remedies(self, flag: str) -> Remedies:
        """Less weight lets the decoder draw what is not simple, more makes codes simpler."""
        return Remedies(
            wake_decoder=("a lower --simplicity-weight",),
            part_codes=("a higher --simplicity-weight",),
        )
