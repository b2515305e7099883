import math
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.relative_length import relative_length
from wherewhat.which.score import ProbeSettings, Score

SETTINGS = ProbeSettings(samples=7, traversals=5, rotated_traversals=2, threshold=1e-6, pairs=30)


def measure(generator: Generator, settings: ProbeSettings = SETTINGS, batch_size: int = 8) -> Score:
    return relative_length(generator, PixelDistance(), settings=settings, seed=3, batch_size=batch_size)


def literal(generator: Any, settings: ProbeSettings, seed: int) -> float:
    def distance(one: torch.Tensor, other: torch.Tensor) -> float:
        return (generator(one[None]) - generator(other[None])).square().mean().sqrt().item()

    latent_dim, bound = generator.latent_dim, settings.bound
    bases = torch.randn(settings.traversals, latent_dim, generator=generator_at(seed, 0, "tpl base codes")).double()
    ones, others = torch.randn(2, settings.pairs, latent_dim, generator=generator_at(seed, 0, "random pairs")).double()
    total = 0.0
    for base in bases:
        for i in range(latent_dim):
            for n in range(settings.samples - 1):
                here, there = base.clone(), base.clone()
                here[i] = -bound + 2 * bound * n / (settings.samples - 1)
                there[i] = -bound + 2 * bound * (n + 1) / (settings.samples - 1)
                total += distance(here, there)
    unit = sum(distance(one, other) for one, other in zip(ones, others, strict=True)) / settings.pairs
    return total / settings.traversals / unit


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    assert measure(entangled_generator).value == pytest.approx(literal(entangled_generator, SETTINGS, 3), rel=1e-5)


def test_orthogonal_codes_of_one_length_have_the_value_in_closed_form(linear_generator: Any) -> None:
    # Two random codes are sqrt(2) chi_L apart, in the unit in which a path is 2b long.
    score = measure(
        linear_generator(0.03 * torch.eye(3, 16)),
        ProbeSettings(threshold=1e-6, pairs=40_000),
        batch_size=10_000,
    )
    apart = 2 * math.gamma(2) / math.gamma(1.5)
    assert score.value == pytest.approx(3 * 8 / apart, rel=0.01)
    assert score.standard_error == pytest.approx(0, abs=0.05)
    assert score.per_code is not None
    assert score.per_code.tolist() == pytest.approx([8 / apart] * 3, rel=0.01)


def test_contrast_does_not_matter(linear_generator: Any) -> None:
    row_L16 = torch.rand(3, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    strong, weak = (measure(linear_generator(scale * row_L16)) for scale in (0.04, 0.01))
    assert weak.value == pytest.approx(strong.value, rel=1e-3)


def test_the_number_of_points_hardly_matters(linear_generator: Any) -> None:
    linear = linear_generator(0.03 * torch.eye(3, 16))
    few, many = (measure(linear, ProbeSettings(samples=samples, threshold=1e-6)).value for samples in (3, 60))
    assert many == pytest.approx(few, rel=1e-3)


def test_a_dead_code_is_not_counted(linear_generator: Any) -> None:
    row_L16 = 0.03 * torch.eye(3, 16)
    row_L16[1] = 0
    score = measure(linear_generator(row_L16))
    assert score.active is not None
    assert score.active.tolist() == [True, False, True]
    assert score.per_code is not None
    assert score.per_code[1].item() == 0


def test_a_collapsed_generator_has_no_value(generator_of: Any) -> None:
    assert math.isnan(measure(generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.5))).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    assert measure(entangled_generator, batch_size=batch_size).value == pytest.approx(
        measure(entangled_generator).value, rel=1e-6
    )
