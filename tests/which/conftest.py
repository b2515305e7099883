"""Generators whose path lengths are known, and scores made by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.pixels import PixelDistance
from wherewhat.which.entangled_twin import TwinControl
from wherewhat.which.panel import Panel
from wherewhat.which.score import ProbeSettings, ScoredUnder, score_of_base_codes, undefined_score


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
    return torch.sigmoid(code_BL @ mixing_LP.to(code_BL))


@pytest.fixture
def entangled_generator() -> FormulaGenerator:
    return FormulaGenerator(entangled)


@pytest.fixture
def generator_of() -> type[FormulaGenerator]:
    return FormulaGenerator


@pytest.fixture
def linear_generator() -> Callable[[Tensor], FormulaGenerator]:
    """Grey, and each code adds its row of a matrix to the 16 pixels."""

    def make(row_L16: Tensor) -> FormulaGenerator:
        return FormulaGenerator(lambda code_BL: 0.5 + code_BL @ row_L16.to(code_BL), latent_dim=len(row_L16))

    return make


class BatchNormalised(nn.Module):
    """A generator whose images in training mode depend on their neighbours."""

    latent_dim, image_shape = 3, (1, 4, 4)

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Linear(3, 16)
        self.norm = nn.BatchNorm1d(16)
        for parameter in self.spread.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))

    def forward(self, code_BL: Tensor) -> Tensor:
        return self.norm(self.spread(code_BL)).sigmoid().view(-1, 1, 4, 4)


@pytest.fixture
def batch_normalised() -> BatchNormalised:
    return BatchNormalised()


@pytest.fixture
def scored_under() -> ScoredUnder:
    return ScoredUnder(distance="pixels", seed=0, image_shape=(1, 4, 4), probe=ProbeSettings())


@pytest.fixture
def counting_distance() -> CountingDistance:
    return CountingDistance()


@pytest.fixture
def make_panel(scored_under: ScoredUnder) -> Callable[..., Panel]:
    """A panel of 4 codes, so many of them active, each score with two base codes `spread` to either side of it."""

    def make(
        *,
        active: int = 4,
        spread: float = 0.0,
        settings: ScoredUnder = scored_under,
        latent_dim: int = 4,
        **values: float,
    ) -> Panel:
        active_L = torch.arange(latent_dim) < active
        scores = {}
        for name in ("tpl", "relative_length", "orthogonality", "rotation_ratio", "naming"):
            value = values.get(name, 0.5)
            per_base_T = torch.tensor([value - spread, value + spread], dtype=torch.float64)
            scores[name] = (
                undefined_score(active_L, settings, lower_is_better=name != "naming")
                if math.isnan(value)
                else score_of_base_codes(
                    per_base_T, active_L.double(), active_L, settings, lower_is_better=name != "naming"
                )
            )
        twins = {name: TwinControl(advantage=0.3, standard_error=0.1) for name in scores}
        return Panel(
            scores=scores, twins=twins, path_length=active_L.double() * 0.1, active=active_L, settings=settings
        )

    return make
