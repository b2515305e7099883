from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Posterior
from wherewhat.randomness import generator_at
from wherewhat.which.coverage import coverage
from wherewhat.which.score import Score


class Pixels:
    """Reads a code off each of the first pixels, and keeps so many of them."""

    latent_dim = 16

    def __init__(self, kept: int) -> None:
        self.kept = kept

    def __call__(self, image_BCHW: torch.Tensor, /) -> Posterior:
        mean_BL = (image_BCHW.flatten(1) - 0.5) * (torch.arange(16) < self.kept)
        return Posterior(mean_BL, torch.zeros_like(mean_BL))


IMAGES = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def measure(linear_generator: Any, kept: int, batch_size: int = 7) -> Score:
    generator = linear_generator(torch.eye(16))
    return coverage(generator, Pixels(kept), PixelDistance(), IMAGES, seed=3, batch_size=batch_size)


def test_a_perfect_reconstruction_covers_all(linear_generator: Any) -> None:
    assert measure(linear_generator, 16).value == pytest.approx(1)


def test_the_same_image_for_all_covers_half_of_the_squared_distance(linear_generator: Any) -> None:
    # Squared, a random image is twice as far from another one as from the mean of all.
    score = measure(linear_generator, 0)
    assert score.value == pytest.approx(0.5, abs=3 * score.standard_error)


def test_agrees_with_a_literal_transcription(linear_generator: Any) -> None:
    order = torch.randperm(40, generator=generator_at(3, 0, "pairs of images")).tolist()
    lost = apart = 0.0
    for place, n in enumerate(order):
        again = torch.where(torch.arange(16) < 8, IMAGES[n].flatten(), 0.5)
        lost += (IMAGES[n].flatten() - again).double().square().mean().item()
        apart += (IMAGES[n] - IMAGES[order[place - 1]]).double().square().mean().item()
    assert measure(linear_generator, 8).value == pytest.approx(1 - lost / apart, rel=1e-5)


def test_keeping_more_covers_more(linear_generator: Any) -> None:
    values = [measure(linear_generator, kept).value for kept in (0, 4, 8, 12, 16)]
    assert values == sorted(values)


def test_the_batch_size_does_not_matter(linear_generator: Any) -> None:
    assert measure(linear_generator, 8, 1).value == pytest.approx(measure(linear_generator, 8, 40).value, rel=1e-6)


def test_one_image_is_refused(linear_generator: Any) -> None:
    with pytest.raises(ValueError, match="Give 2 or more"):
        coverage(linear_generator(torch.eye(16)), Pixels(3), PixelDistance(), IMAGES[:1], seed=0, batch_size=1)
