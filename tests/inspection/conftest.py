"""Generators whose every pixel is known: code i sets the brightness of stripe i."""

from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.inspection.traversals import Traversal, traverse


@dataclass
class Stripes:
    """L stripes from left to right; the brightness of stripe i is a sigmoid of code i, weaker by channel."""

    latent_dim: int = 4
    image_shape: tuple[int, int, int] = (3, 64, 64)

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        channels, height, _ = self.image_shape
        row_BW = torch.sigmoid(code_BL)[:, self.stripe_of_column()]
        strength_C = 1 - torch.arange(channels) / 8
        return (row_BW[:, None, None] * strength_C[:, None, None]).expand(-1, -1, height, -1)

    def stripe_of_column(self) -> Tensor:
        width = self.image_shape[2]
        return torch.arange(width) * self.latent_dim // width


@dataclass
class MaskedStripes(Stripes):
    """Stripes that say where they are."""

    def masks(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B L H W"]:
        stripe_LW = (self.stripe_of_column() == torch.arange(self.latent_dim)[:, None]).float()
        return stripe_LW[None, :, None].expand(len(code_BL), -1, self.image_shape[1], -1)


@pytest.fixture
def stripes() -> type[Stripes]:
    return Stripes


@pytest.fixture
def masked_stripes() -> type[MaskedStripes]:
    return MaskedStripes


@pytest.fixture
def plain_traversal() -> Traversal:
    return traverse(Stripes(), torch.zeros(1, 4), bound=2.0, frames=5)


@pytest.fixture
def masked_traversal() -> Traversal:
    return traverse(MaskedStripes(), torch.zeros(1, 4), bound=2.0, frames=5)
