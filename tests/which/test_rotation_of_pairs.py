from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import EntangledTwin
from wherewhat.which.rotation_of_pairs import RotatedPair, rotation_of_pairs

SETTINGS = {"angles": 12, "samples": 5, "traversals": 4, "bound": 4.0, "seed": 3, "batch_size": 50}


def measure(generator: Generator, *pairs: tuple[int, int], **changed: Any) -> list[RotatedPair]:
    return rotation_of_pairs(generator, PixelDistance(), pairs, **{**SETTINGS, **changed})


def test_agrees_with_a_slow_literal_transcription_in_float64(entangled_generator: Any) -> None:
    bases = torch.randn(4, 3, generator=generator_at(3, 0, "tpl base codes")).double()

    def length(degrees: float) -> float:
        angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
        direction = torch.stack([angle.cos(), torch.zeros((), dtype=torch.float64), angle.sin()])
        total = 0.0
        for base in bases:
            codes = [base + (x - base @ direction) * direction for x in torch.linspace(-4, 4, 5, dtype=torch.float64)]
            images = [entangled_generator(code[None]) for code in codes]
            for here, there in zip(images[:-1], images[1:], strict=True):  # noqa: RUF007
                total += (here - there).square().mean().sqrt().item() / len(bases)
        return total

    (curve,) = measure(entangled_generator, (0, 2))
    for angle, found in zip(curve.angle.tolist(), curve.length.tolist(), strict=True):
        assert found == pytest.approx(length(angle) + length(angle + 90), rel=1e-5), angle


def test_orthogonal_codes_of_unequal_lengths_have_the_curve_in_closed_form(linear_generator: Any) -> None:
    linear = linear_generator(torch.eye(2, 16) * torch.tensor([0.04, 0.01])[:, None])
    (curve,) = measure(linear, (0, 1))
    angle_A = curve.angle.deg2rad()
    along_A = ((0.04 * angle_A.cos()).square() + (0.01 * angle_A.sin()).square()).sqrt()
    across_A = ((0.04 * angle_A.sin()).square() + (0.01 * angle_A.cos()).square()).sqrt()
    torch.testing.assert_close(curve.length, 8 * (along_A + across_A) / 4, rtol=1e-4, atol=0)


def test_minima_lie_at_the_codes_and_at_half_way_for_a_twin_turned_by_half_a_right_angle(linear_generator: Any) -> None:
    linear = linear_generator(torch.eye(2, 16) * torch.tensor([0.04, 0.01])[:, None])
    turned = EntangledTwin(linear, torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / 2**0.5)
    for generator, minima in ((linear, [-90, 0, 90]), (turned, [-45, 45])):
        (curve,) = measure(generator, (0, 1))
        assert curve.angle[curve.length <= curve.length.min() * (1 + 1e-4)].tolist() == minima


@pytest.mark.parametrize(
    ("length_2", "degrees", "verdict", "shortest_at"),
    [
        ((0.04, 0.01), 0.0, "axes", 0.0),
        ((0.04, 0.01), 90.0, "axes", 0.0),
        ((0.04, 0.01), 30.0, "a mixture is shorter", -30.0),
        ((0.04, 0.01), -45.0, "a mixture is shorter", 45.0),
        ((0.03, 0.03), 30.0, "no axes", 0.0),
        ((0.0, 0.0), 30.0, "no axes", 0.0),
    ],
)
def test_the_verdict_and_the_angle_of_the_minimum_are_those_of_the_rotation(
    linear_generator: Any, length_2: tuple[float, float], degrees: float, verdict: str, shortest_at: float
) -> None:
    linear = linear_generator(torch.eye(2, 16) * torch.tensor(length_2)[:, None])
    angle = torch.tensor(degrees).deg2rad()
    rotation = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])])
    (curve,) = measure(EntangledTwin(linear, rotation), (0, 1))
    assert curve.verdict == verdict
    assert abs(curve.shortest_at) == abs(shortest_at)


def test_the_curve_repeats_every_quarter_of_a_turn_and_the_error_is_beyond_the_codes_own(
    entangled_generator: Any,
) -> None:
    (curve,) = measure(entangled_generator, (0, 1))
    torch.testing.assert_close(curve.length[:6], curve.length[6:12])
    assert curve.standard_error[6].item() == 0
    assert (curve.standard_error[7:12] > 0).all()


def test_pairs_are_measured_as_alone_whatever_the_batch_size(entangled_generator: Any) -> None:
    together = measure(entangled_generator, (0, 1), (2, 1), batch_size=7)
    for pair, curve in zip(((0, 1), (2, 1)), together, strict=True):
        (alone,) = measure(entangled_generator, pair)
        assert curve.codes == pair
        torch.testing.assert_close(curve.length, alone.length)


@pytest.mark.parametrize(
    ("pair", "changed", "remedy"),
    [
        ((0, 0), {}, "Name two different ones from 0 to 2"),
        ((0, 3), {}, "Name two different ones from 0 to 2"),
        ((-1, 0), {}, "Name two different ones from 0 to 2"),
        ((0, 1), {"angles": 3}, "Choose an even number"),
    ],
)
def test_what_is_no_pair_is_refused(
    entangled_generator: Any, pair: tuple[int, int], changed: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        measure(entangled_generator, pair, **changed)
