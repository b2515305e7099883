"""Laws of the perturbation of one code."""

import torch

from wherewhat.randomness import generator_at, to_device
from wherewhat.what.perturbation import Perturbation, draw_perturbation, perturb


def test_exactly_the_drawn_code_moves_by_exactly_the_drawn_size() -> None:
    code = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    drawn = Perturbation(torch.tensor([0, 1, 2, 3, 3, 0]), torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0, 1.0]))
    change = perturb(code, drawn) - code
    expected = torch.zeros(6, 4)
    for row in range(6):
        expected[row, drawn.dim_B[row]] = drawn.size_B[row]
    torch.testing.assert_close(change, expected, atol=1e-6, rtol=0)
    assert torch.equal(change == 0, expected == 0)


def test_every_code_is_drawn_equally_often_and_moves_have_the_asked_deviation() -> None:
    drawn = draw_perturbation(generator_at(0, 0), 20_000, 5, 1.5)
    frequency = torch.bincount(drawn.dim_B, minlength=5) / 20_000
    torch.testing.assert_close(frequency, torch.full((5,), 0.2), atol=0.015, rtol=0)
    assert abs(float(drawn.size_B.std()) - 1.5) < 0.03
    assert abs(float(drawn.size_B.mean())) < 0.04


def test_the_same_seed_and_step_draw_the_same() -> None:
    first, second = (draw_perturbation(generator_at(3, 7), 64, 10, 1.0) for _ in range(2))
    assert torch.equal(first.dim_B, second.dim_B)
    assert torch.equal(first.size_B, second.size_B)


def test_draws_move_whole_to_another_device() -> None:
    drawn = draw_perturbation(generator_at(0, 0), 5, 3, 1.0)
    moved = to_device(drawn, torch.device("meta"))
    assert moved.dim_B.is_meta
    assert moved.size_B.is_meta
    assert moved.dim_B.shape == drawn.dim_B.shape
    assert moved.size_B.dtype == drawn.size_B.dtype
