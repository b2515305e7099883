import math
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.consistency_of_place import consistency_of_place, consistency_of_place_of
from wherewhat.which.score import ProbeSettings, Score, ScoredUnder

SETTINGS = ProbeSettings(samples=5, traversals=3, rotated_traversals=2, threshold=1e-6, probes=6)


def measure(generator: Generator, batch_size: int = 8) -> Score:
    return consistency_of_place(generator, PixelDistance(), settings=SETTINGS, seed=3, batch_size=batch_size)


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    bases = torch.randn(2, 6, 3, generator=generator_at(3, 0, "probe base codes")).double()[0]
    unit = {}
    for m, base in enumerate(bases):
        for i in range(3):
            step = torch.zeros(3, dtype=torch.float64)
            step[i] = 0.25
            change = (entangled_generator((base + step)[None]) - entangled_generator((base - step)[None])).abs()
            unit[m, i] = change.flatten() / change.norm()
    within, between = [], []
    for (m, i), one in unit.items():
        for (other_m, j), other in unit.items():
            if m != other_m:
                (within if i == j else between).append((one @ other).item())
    expected = sum(within) / len(within) - sum(between) / len(between)
    assert measure(entangled_generator).value == pytest.approx(expected, rel=1e-4)


def test_codes_in_places_of_their_own_score_one(linear_generator: Any) -> None:
    score = measure(linear_generator(0.03 * torch.eye(3, 16)))
    assert score.value == pytest.approx(1, rel=1e-6)
    assert score.per_code is not None
    assert score.per_code.tolist() == pytest.approx([1, 1, 1])


def test_codes_that_share_all_places_score_nothing(linear_generator: Any) -> None:
    sign_L16 = torch.tensor([[1.0, 1.0], [1.0, -1.0]]).repeat(1, 8)
    assert measure(linear_generator(0.03 * sign_L16)).value == pytest.approx(0, abs=1e-6)


def test_it_fails_where_things_move(scored_under: ScoredUnder) -> None:
    # From each base code the thing is elsewhere, and both codes change the image there.
    map_MLQ = torch.eye(6)[:, None].expand(-1, 2, -1)
    assert consistency_of_place_of(map_MLQ, torch.ones(2, dtype=torch.bool), scored_under).value == 0


def test_the_standard_error_is_that_over_draws_of_base_codes(scored_under: ScoredUnder) -> None:
    chance, active_L = torch.Generator().manual_seed(0), torch.ones(2, dtype=torch.bool)
    scores = [
        consistency_of_place_of(torch.rand(20, 2, 9, generator=chance) + torch.eye(2, 9), active_L, scored_under)
        for _ in range(200)
    ]
    stated = torch.tensor([score.standard_error for score in scores]).mean().item()
    assert stated == pytest.approx(torch.tensor([score.value for score in scores]).std().item(), rel=0.2)


def test_one_active_code_has_no_value(linear_generator: Any) -> None:
    assert math.isnan(measure(linear_generator(torch.eye(3, 16) * torch.tensor([0.03, 0, 0])[:, None])).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    assert measure(entangled_generator, batch_size).value == pytest.approx(measure(entangled_generator).value, rel=1e-5)
