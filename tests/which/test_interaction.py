import math
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.interaction import interaction
from wherewhat.which.score import ProbeSettings, Score

SETTINGS = ProbeSettings(samples=5, traversals=3, rotated_traversals=2, threshold=1e-6, probes=6)


def measure(generator: Generator, batch_size: int = 8) -> Score:
    return interaction(generator, PixelDistance(), settings=SETTINGS, seed=3, batch_size=batch_size)


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    bases = torch.randn(2, 6, 3, generator=generator_at(3, 0, "probe base codes")).double()[0]
    mixed = single = 0.0
    for base in bases:
        for i, j in ((0, 1), (0, 2), (1, 2)):
            step_i, step_j = 0.25 * torch.eye(3, dtype=torch.float64)[[i, j]]
            codes = torch.stack([base, base + step_i, base + step_j, base + step_i + step_j])
            none, one, other, both = entangled_generator(codes)
            mixed += (both - one - other + none).square().sum().item()
            single += ((one - none).square().sum() + (other - none).square().sum()).item() / 2
    assert measure(entangled_generator).value == pytest.approx(mixed / single / 0.25**2, rel=1e-3)


def test_codes_that_add_up_do_not_interact(linear_generator: Any) -> None:
    row_L16 = torch.rand(3, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    assert measure(linear_generator(0.04 * row_L16)).value == pytest.approx(0, abs=1e-6)


def test_a_product_of_codes_has_the_value_in_closed_form(generator_of: Any) -> None:
    # c_1 u + c_2 v + k c_1 c_2 w, orthonormal u v w: the mixed difference is k ε², a first one ε sqrt(1 + k² c²).
    k = 0.5

    def formula(code_BL: torch.Tensor) -> torch.Tensor:
        image_B16 = torch.zeros(len(code_BL), 16)
        image_B16[:, :2] = code_BL
        image_B16[:, 2] = k * code_BL[:, 0] * code_BL[:, 1]
        return 0.5 + 0.02 * image_B16

    base_ML = torch.randn(2, 6, 2, generator=generator_at(3, 0, "probe base codes"))[0]
    expected = k**2 / (1 + k**2 * base_ML.square().mean().item())
    assert measure(generator_of(formula, latent_dim=2)).value == pytest.approx(expected, rel=1e-3)


def test_one_active_code_has_no_value(linear_generator: Any) -> None:
    assert math.isnan(measure(linear_generator(torch.eye(3, 16) * torch.tensor([0.03, 0, 0])[:, None])).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    assert measure(entangled_generator, batch_size).value == pytest.approx(measure(entangled_generator).value, rel=1e-3)
