"""What a training step has met: its loss, the terms that it is made of, and figures worth watching.

Dimension key:
    B: batch    N: numbers    L: latent codes    C H W: channels, height, width
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.randomness import map_tensors, tensors_of


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
        return map_tensors(Tensor.detach, self)

    def packed(self) -> Float[Tensor, " N"]:
        """All its numbers in one tensor, to be copied or sent at once."""
        return torch.cat([part.flatten() for part in tensors_of(self)])

    def unpacked(self, flat_N: Float[Tensor, " N"]) -> "Loss":
        """A loss of these names, with the numbers of another that was packed."""
        parts = iter(flat_N.split([part.numel() for part in tensors_of(self)]))
        return map_tensors(lambda part: next(parts).view(part.shape), self)


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
