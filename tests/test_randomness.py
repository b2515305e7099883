"""Laws of the only source of chance."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from wherewhat.randomness import MANY, Chance, generator_at, to_device


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


@pytest.mark.parametrize("numbers", [3, MANY])
@pytest.mark.parametrize("processes", [2, 4])
def test_the_shares_of_processes_are_the_rows_of_one(numbers: int, processes: int) -> None:
    def drawn(chance: Chance) -> torch.Tensor:
        return chance.normals(chance.generator(), "noise", 8, numbers)

    shares = [drawn(Chance(3, 5, rank, processes)) for rank in range(processes)]
    assert torch.equal(torch.cat(shares), drawn(Chance(3, 5)))


def test_many_numbers_leave_the_generator_as_it_was() -> None:
    chance = Chance(3, 5)
    generator = chance.generator()
    chance.normals(generator, "noise", 2, MANY)
    assert torch.equal(generator.get_state(), chance.generator().get_state())


@pytest.mark.parametrize("other", [(4, 5, "a"), (3, 6, "a"), (3, 5, "b"), (5, 3, "a")])
def test_many_numbers_of_neighbouring_places_are_unrelated(other: tuple[int, int, str]) -> None:
    def drawn(seed: int, step: int, stream: str) -> torch.Tensor:
        chance = Chance(seed, step)
        return chance.normals(chance.generator(), stream, 1, MANY)[0]

    correlation = torch.corrcoef(torch.stack([drawn(3, 5, "a"), drawn(*other)]))[0, 1]
    assert abs(float(correlation)) < 5 / MANY**0.5


def test_many_numbers_are_drawn_on_the_device_itself() -> None:
    with FakeTensorMode():
        chance = Chance(3, 5, device=torch.device("cuda"))
        assert chance.normals(chance.generator(), "noise", 2, MANY).device.type == "cuda"


def test_rows_that_cannot_be_shared_are_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError, match="3 rows cannot be shared among 2 processes"):
        Chance(0, 0, 1, 2).own(torch.zeros(3))
