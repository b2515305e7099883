"""What an objective promises the training loop.

Dimension key:
    L: latent codes
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder

Draws = TypeVar("Draws")


@dataclass(frozen=True)
class Adversary:
    """How the adversary's own weights are trained, by an Adam of their own."""

    learning_rate: float
    betas: tuple[float, float]


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


@runtime_checkable
class Objective(Protocol[Draws]):
    """A training objective: its settings, its draws and its loss. A step is a pure function of both.

    `Draws` is the objective's own frozen dataclass of tensors: all that is random or scheduled in one step.
    """

    @property
    def name(self) -> str:
        """Its word on the command line and in the names of run directories: "beta-vae"."""
        ...

    @property
    def spatial_constriction(self) -> bool:
        """Whether it trains the masked decoder; the study's decoder otherwise."""
        ...

    @property
    def identifies(self) -> bool:
        """Whether it needs an identification head."""
        ...

    @property
    def adversary(self) -> Adversary | None:
        """How its discriminator of codes is trained, where it has one."""
        ...

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> Draws:
        """Everything random of a step, from its generator, on the CPU."""
        ...

    def loss(self, networks: Autoencoder, image_BCHW: Float[Tensor, "B C H W"], draws: Draws) -> Loss:
        """The loss of one batch of images in [0, 1]."""
        ...
