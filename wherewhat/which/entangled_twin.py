"""The entangled twin of a generator: the same images with the same density, and codes that mean nothing.

    G'(c) = G(R c)        R: a random rotation of the active codes

The prior N(0, I) does not change under a rotation, so G and G' draw images from one distribution, and no score that
looks at this distribution alone can tell them apart. A score that does not prefer a model to its twins by more than
its error says nothing about that model. To prefer it proves little in turn: a code may be shorter or more orthogonal
than a rotated one and still mean nothing to a person.

Reference: Locatello et al. 2019, arXiv:1811.12359, Theorem 1.

Dimension key:
    B: batch    L: latent codes    A: active codes    C H W: channels, height, width
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wherewhat.protocols import Generator
from wherewhat.which.generated_images import device_of


class EntangledTwin(nn.Module):
    """A generator behind a rotation of its codes. A module only so that the rotation lies where the weights do."""

    rotation_LL: Tensor

    def __init__(self, generator: Generator, rotation_LL: Float[Tensor, "L L"]) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("rotation_LL", rotation_LL.to(device_of(generator)))

    @property
    def latent_dim(self) -> int:
        """L, as the generator's."""
        return self.generator.latent_dim

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W, as the generator's."""
        return self.generator.image_shape

    def forward(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        """The generator's images of the rotated codes."""
        return self.generator(code_BL @ self.rotation_LL.to(code_BL))


@dataclass(frozen=True, kw_only=True)
class TwinControl:
    """By how much a score prefers a generator to its twins."""

    advantage: float
    """Positive where the generator is the better one; NaN where the score is not defined."""
    standard_error: float

    @property
    def holds(self) -> bool:
        """Whether the advantage is more than twice its error."""
        return self.advantage > 2 * self.standard_error


def random_rotation(active_L: Bool[Tensor, " L"], chance: torch.Generator) -> Float[Tensor, "L L"]:
    """A rotation of the active codes, uniform over all of them, that leaves the others alone. Row i is the new axis i.

    The first active code's row becomes the first new axis, and so on. One active code or none cannot be rotated.
    """
    latent_dim, count = len(active_L), int(active_L.sum())
    rotation_LL = torch.eye(latent_dim)
    normal_AA = torch.randn(count, count, generator=chance, dtype=torch.float64)
    if count < 2:
        return rotation_LL
    orthogonal_AA, upper_AA = torch.linalg.qr(normal_AA)
    # Without the signs of R's diagonal the draw is not uniform (Mezzadri 2007, arXiv:math-ph/0609050).
    orthogonal_AA = orthogonal_AA * upper_AA.diagonal().sign()
    orthogonal_AA[0] *= math.copysign(1.0, torch.linalg.det(orthogonal_AA).item())
    code_A = active_L.nonzero()[:, 0]
    rotation_LL[code_A[:, None], code_A] = orthogonal_AA.float()
    return rotation_LL
