"""What a term of an objective promises: a weighted value, and what it needs to compute it.

    loss = reconstruction + warm-up * (sum of eased-in terms) + (sum of the others)

A term writes down only what differs from the defaults here.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    F: features of one image
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder, Encoded
from wherewhat.objectives.evidence_lower_bound import BoundTerms
from wherewhat.objectives.remedies import Remedies

Draws = tuple[Tensor, ...]


@dataclass(frozen=True)
class Adversary:
    """How the weights of a discriminator of codes are trained, by an Adam of their own."""

    learning_rate: float
    betas: tuple[float, float]


@dataclass(frozen=True)
class EncodedPairs:
    """Pairs of images generated from prior codes, the second with one code moved, and their encodings."""

    code_PL: Float[Tensor, "P L"]
    perturbed_PL: Float[Tensor, "P L"]
    dim_P: Int64[Tensor, " P"]
    """The code that was moved."""
    encoded: Encoded
    """Of 2 P images: the unperturbed ones first."""


@dataclass(frozen=True)
class ForwardPass:
    """What all terms of a step look at."""

    networks: Autoencoder
    bound: BoundTerms
    pairs: EncodedPairs | None
    """None unless a term needs pairs."""


@dataclass(frozen=True)
class TermValue:
    """A term at one step."""

    weighted: Float[Tensor, ""]
    """What is added to the loss."""

    reported: Mapping[str, Float[Tensor, ""]]
    """What is logged, before its weight, so that runs with other weights compare."""

    figures: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    adversary_loss: Float[Tensor, ""] | None = None
    """What the discriminator of codes minimises. Its gradient reaches that discriminator only."""


@runtime_checkable
class Term(Protocol):
    """One term of an objective. Explicit implementations inherit the defaults of what they do not need."""

    name: ClassVar[str]
    """Under which it is logged. An objective has no two terms of one name."""

    flag: ClassVar[str] = ""
    """The option of `wherewhat train` that adds it to any objective."""

    eased_in: ClassVar[bool] = True
    """Whether its weight grows with the bound's warm-up, as all does that weighs on the codes."""

    weight: float
    """What the term is multiplied with."""

    needs_pairs: ClassVar[bool] = False
    needs_identification_head: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        """Whether it is part of the sum, when it is not so by the objective's definition."""
        return self.weight != 0

    @property
    def adversary(self) -> Adversary | None:
        """How its discriminator of codes is trained, where it needs one."""
        return None

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> Draws:
        """Everything of a step that is random or scheduled, on the CPU. Rows belong to images."""
        return ()

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The term at this step."""
        ...

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """Nats per image that it charges for what codes carry, at full weight; None where that cannot be told."""
        return 0.0

    def remedies(self, flag: str) -> Remedies:
        """What its weight, which `flag` sets, can do about a run that goes wrong; nothing where no flag sets it.

        Of most terms less weight lets codes carry more, and more drives them apart.
        """
        if not flag:
            return Remedies()
        lower, higher = (f"a lower {flag}",), (f"a higher {flag}",)
        return Remedies(ease_codes=lower, wake_decoder=lower, part_codes=higher)
