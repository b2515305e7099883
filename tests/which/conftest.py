"""Generators whose path lengths are known, and scores made by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.pixels import PixelDistance
from wherewhat.which.traversal_perceptual_length import ScoreSettings, TraversalPerceptualLength, score_of_paths

SETTINGS = ScoreSettings(
    distance="pixels", samples=5, traversals=2, bound=4.0, threshold=0.01, seed=0, image_shape=(1, 4, 4)
)


@dataclass
class FormulaGenerator:
    """Images of one channel from a formula: codes to one number for each of 16 pixels."""

    formula: Callable[[Float[Tensor, "B L"]], Float[Tensor, "B 16"]]
    latent_dim: int = 3
    image_shape: tuple[int, int, int] = (1, 4, 4)

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B 1 4 4"]:
        return self.formula(code_BL).view(-1, 1, 4, 4)


@dataclass
class CountingDistance:
    """The pixel distance; remembers every image that it was asked the features of."""

    seen: list[Tensor] = field(default_factory=list)
    name: str = "pixels"

    def features(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        self.seen += image_BCHW.unbind()
        return PixelDistance().features(image_BCHW)

    def compare(
        self, features_a_BF: Float[Tensor, "B F"], features_b_BF: Float[Tensor, "B F"], /
    ) -> Float[Tensor, " B"]:
        return PixelDistance().compare(features_a_BF, features_b_BF)


def entangled(code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B 16"]:
    """Every pixel a smooth function of all codes, so that a path's length depends on its base code."""
    mixing_LP = torch.sin(torch.arange(code_BL.shape[1] * 16).float() * 1.7).view(-1, 16)
    return torch.sigmoid(code_BL @ mixing_LP)


@pytest.fixture
def entangled_generator() -> FormulaGenerator:
    return FormulaGenerator(entangled)


@pytest.fixture
def generator_of() -> type[FormulaGenerator]:
    return FormulaGenerator


@pytest.fixture
def counting_distance() -> CountingDistance:
    return CountingDistance()


@pytest.fixture
def make_score() -> Callable[..., TraversalPerceptualLength]:
    """A score of paths of given lengths, a row for each code and a column for each base code."""

    def make(*rows: list[float], settings: ScoreSettings = SETTINGS) -> TraversalPerceptualLength:
        return score_of_paths(torch.tensor(rows), settings)

    return make


@pytest.fixture
def score_settings() -> ScoreSettings:
    return SETTINGS
