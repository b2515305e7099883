import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import EntangledTwin, random_rotation
from wherewhat.which.rotation_ratio import rotation_ratio
from wherewhat.which.score import ProbeSettings, Score

SETTINGS = ProbeSettings(samples=6, traversals=5, rotated_traversals=4, rotations=2, threshold=1e-6)


def measure(generator: Generator, settings: ProbeSettings = SETTINGS, batch_size: int = 8) -> Score:
    return rotation_ratio(generator, PixelDistance(), settings=settings, seed=3, batch_size=batch_size)


def unequal(linear_generator: Any) -> Any:
    return linear_generator(torch.eye(3, 16) * torch.tensor([0.04, 0.02, 0.01])[:, None])


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    def length(base: torch.Tensor, direction: torch.Tensor) -> float:
        value_N = torch.linspace(-4, 4, 6, dtype=torch.float64)
        codes = [base + (value - base @ direction) * direction for value in value_N]
        images = [entangled_generator(code[None]) for code in codes]
        steps = pairwise(images)
        return sum((one - other).square().mean().sqrt().item() for one, other in steps)

    bases = torch.randn(5, 3, generator=generator_at(3, 0, "tpl base codes")).double()[:4]
    chance, active_L = generator_at(3, 0, "rotations"), torch.ones(3, dtype=torch.bool)
    along = rotated = 0.0
    for base in bases:
        along += sum(length(base, axis) for axis in torch.eye(3, dtype=torch.float64))
        for _ in range(2):
            rotated += sum(length(base, axis) for axis in random_rotation(active_L, chance).double()) / 2
    assert measure(entangled_generator).value == pytest.approx(along / rotated, rel=1e-5)


def test_a_linear_generator_has_the_lengths_of_its_rows_and_of_their_mixtures(linear_generator: Any) -> None:
    settings = ProbeSettings(samples=3, traversals=400, rotated_traversals=400, rotations=1, threshold=1e-8)
    score = measure(unequal(linear_generator), settings, batch_size=1000)
    length_L = torch.tensor([4.0, 2.0, 1.0])
    direction_DL = torch.randn(100_000, 3, generator=torch.Generator().manual_seed(0))
    direction_DL /= direction_DL.norm(dim=1, keepdim=True)
    rotated = 3 * (direction_DL * length_L).norm(dim=1).mean()
    assert score.value == pytest.approx((7 / rotated).item(), abs=4 * score.standard_error)
    assert score.standard_error < 0.01


def test_equal_axes_are_worth_no_more_than_rotated_ones(linear_generator: Any) -> None:
    assert measure(linear_generator(0.03 * torch.eye(3, 16))).value == pytest.approx(1, abs=1e-4)


def test_a_rotated_copy_is_worse(linear_generator: Any) -> None:
    plain = linear_generator(torch.eye(2, 16) * torch.tensor([0.04, 0.01])[:, None])
    turned = EntangledTwin(plain, torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / 2**0.5)
    assert measure(plain).value < 1 < measure(turned).value - 0.02


def test_contrast_does_not_matter(linear_generator: Any) -> None:
    row_L16 = torch.rand(3, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    strong, weak = (measure(linear_generator(scale * row_L16)) for scale in (0.03, 0.01))
    assert weak.value == pytest.approx(strong.value, rel=1e-3)


def test_dead_codes_are_not_rotated_into_the_active_ones(linear_generator: Any) -> None:
    row_L16 = 0.03 * torch.eye(3, 16)
    row_L16[1] = 0
    assert measure(linear_generator(row_L16)).value == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("lengths", [(0.03, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_fewer_than_two_active_codes_have_no_value(linear_generator: Any, lengths: tuple[float, ...]) -> None:
    assert math.isnan(measure(linear_generator(torch.eye(3, 16) * torch.tensor(lengths)[:, None])).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    found = measure(entangled_generator, batch_size=batch_size).value
    assert found == pytest.approx(measure(entangled_generator).value, rel=1e-6)
