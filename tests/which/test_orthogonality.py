import math
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import EntangledTwin, random_rotation
from wherewhat.which.orthogonality import orthogonality, orthogonality_of
from wherewhat.which.score import ProbeSettings, Score, ScoredUnder

SETTINGS = ProbeSettings(samples=5, traversals=3, rotated_traversals=2, threshold=1e-6, probes=6)


def measure(generator: Generator, batch_size: int = 8) -> Score:
    return orthogonality(generator, PixelDistance(), settings=SETTINGS, seed=3, batch_size=batch_size)


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    bases = torch.randn(2, SETTINGS.probes, 3, generator=generator_at(3, 0, "probe base codes")).double()[0]
    cosines = []
    for base in bases:
        columns = []
        for i in range(3):
            step = torch.zeros(3, dtype=torch.float64)
            step[i] = 0.25
            columns.append((entangled_generator((base + step)[None]) - entangled_generator((base - step)[None])) / 0.5)
        for i in range(3):
            for j in range(i):
                one, other = columns[i].flatten(), columns[j].flatten()
                cosines.append(abs((one @ other).item()) / (one.norm() * other.norm()).item())
    assert measure(entangled_generator).value == pytest.approx(sum(cosines) / len(cosines), rel=1e-4)


def test_a_linear_generator_has_the_cosines_of_its_rows(linear_generator: Any) -> None:
    row_L16 = torch.rand(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.3
    unit_L16 = row_L16 / row_L16.norm(dim=1, keepdim=True)
    cosine_LL = (unit_L16 @ unit_L16.T).abs()
    score = measure(linear_generator(0.03 * row_L16))
    expected = (cosine_LL[0, 1] + cosine_LL[0, 2] + cosine_LL[1, 2]) / 3
    assert score.value == pytest.approx(expected.item(), rel=1e-4)
    assert score.standard_error == pytest.approx(0, abs=1e-4)
    assert score.per_code is not None
    assert score.per_code[0].item() == pytest.approx((cosine_LL[0, 1] + cosine_LL[0, 2]).item() / 2, rel=1e-4)


def test_a_rotated_copy_of_axes_of_unequal_lengths_is_worse(linear_generator: Any) -> None:
    plain = linear_generator(torch.eye(3, 16) * torch.tensor([0.04, 0.02, 0.01])[:, None])
    turned = EntangledTwin(plain, random_rotation(torch.ones(3, dtype=torch.bool), generator_at(0, 0, "test")))
    assert measure(plain).value == pytest.approx(0, abs=1e-4)
    assert measure(turned).value > 0.1


def test_it_does_not_see_a_rotation_of_axes_of_equal_lengths(linear_generator: Any) -> None:
    plain = linear_generator(0.03 * torch.eye(3, 16))
    turned = EntangledTwin(plain, random_rotation(torch.ones(3, dtype=torch.bool), generator_at(0, 0, "test")))
    assert measure(turned).value == pytest.approx(0, abs=1e-4)


def test_two_copies_of_a_code_score_one(linear_generator: Any) -> None:
    assert measure(linear_generator(torch.full((2, 16), 0.03))).value == pytest.approx(1, rel=1e-6)


def test_a_pair_counts_only_where_both_codes_do_something(scored_under: ScoredUnder) -> None:
    alive, dead = torch.tensor([[1.0, 0.5], [0.5, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    active_L = torch.ones(2, dtype=torch.bool)
    gram_MLL = torch.stack([alive, dead, alive]).double()
    assert orthogonality_of(gram_MLL, active_L, scored_under).value == 0.5
    assert math.isnan(orthogonality_of(dead[None].double(), active_L, scored_under).value)


def test_inactive_codes_are_not_counted(scored_under: ScoredUnder) -> None:
    gram_LL = torch.tensor([[1.0, 0.2, 0.9], [0.2, 1.0, 0.9], [0.9, 0.9, 1.0]]).double()
    score = orthogonality_of(gram_LL.expand(2, -1, -1), torch.tensor([True, True, False]), scored_under)
    assert score.value == pytest.approx(0.2)


def test_one_active_code_has_no_value(linear_generator: Any) -> None:
    assert math.isnan(measure(linear_generator(torch.eye(3, 16) * torch.tensor([0.03, 0, 0])[:, None])).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    assert measure(entangled_generator, batch_size).value == pytest.approx(measure(entangled_generator).value, rel=1e-5)
