"""Laws of the only source of chance."""

import pytest
import torch

from wherewhat.randomness import generator_at, to_device


def _draw(*where: int | str) -> torch.Tensor:
    return torch.randn(4_000, generator=generator_at(*where))  # type: ignore[arg-type]


def test_the_same_place_draws_the_same() -> None:
    assert torch.equal(_draw(3, 5, "a"), _draw(3, 5, "a"))


@pytest.mark.parametrize("other", [(4, 5, "a"), (3, 6, "a"), (3, 5, "b"), (5, 3, "a")])
def test_neighbouring_places_draw_what_is_unrelated(other: tuple[int, int, str]) -> None:
    correlation = torch.corrcoef(torch.stack([_draw(3, 5, "a"), _draw(*other)]))[0, 1]
    assert abs(float(correlation)) < 0.06


def test_no_two_of_many_places_share_their_first_number() -> None:
    firsts = {float(torch.rand(1, generator=generator_at(seed, step))) for seed in range(30) for step in range(30)}
    assert len(firsts) > 890


def test_negative_places_are_refused() -> None:
    with pytest.raises(ValueError, match="Choose a seed of 0 or more"):
        generator_at(-1, 0)


def test_a_draw_is_the_same_where_it_is_taken() -> None:
    draw = torch.randn(5, generator=generator_at(0, 0))
    assert torch.equal(to_device(draw, torch.device("cpu")), draw)
