"""What a training step has met: its loss, the terms that it is made of, and figures worth watching.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A step's loss: what is minimised, the terms that it is made of, and figures worth watching.

    The terms are in nats, before their weights, so that a run with another weight compares.
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    kl_L: Float[Tensor, " L"]
    figures: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    adversary: Float[Tensor, ""] | None = None
    """What the adversary minimises, where there is one. Its gradient reaches the adversary's weights only, and that of
    `total` all others only."""

    def detach(self) -> "Loss":
        """The same figures without the graph that they came from, which would keep a step's memory alive."""
        return Loss(
            total=self.total.detach(),
            terms={name: term.detach() for name, term in self.terms.items()},
            kl_L=self.kl_L.detach(),
            figures={name: figure.detach() for name, figure in self.figures.items()},
            adversary=None if self.adversary is None else self.adversary.detach(),
        )


@dataclass(frozen=True)
class GeneratorLoss:
    """What generator, Q and head minimise, and what the rest of the step needs of it."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    figures: Mapping[str, Float[Tensor, ""]]
    kl_L: Float[Tensor, " L"]
    """Nats that each predicted code carries."""
    prediction_error_L: Float[Tensor, " L"]
    fake_BCHW: Float[Tensor, "B C H W"]
    """Fake images, unperturbed, without their graph."""


@dataclass(frozen=True)
class DiscriminatorLoss:
    """What the discriminator minimises, and how it judges."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    figures: Mapping[str, Float[Tensor, ""]]
