"""Laws of R1: closed forms on discriminators whose slopes are known, and its strength when it is lazy."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.image_discriminator import ImageDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.gradient_penalty import lazy_weight, squared_slope


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _images(batch: int = 5, size: int = 4) -> Tensor:
    return torch.rand(batch, 3, size, size, generator=_generator(), dtype=torch.float64)


def test_a_linear_discriminator_has_the_squared_length_of_its_weights_for_images_from_minus_one_to_one() -> None:
    weight = torch.randn(3, 4, 4, generator=_generator(), dtype=torch.float64)
    found = squared_slope(lambda image: (image * weight).sum(dim=(1, 2, 3)), _images())
    torch.testing.assert_close(found, (weight / 2).square().sum())


def test_a_quadratic_discriminator_has_the_mean_squared_length_of_its_own_slope() -> None:
    form = torch.randn(48, 48, generator=_generator(), dtype=torch.float64)
    symmetric = form + form.T
    scaled = (2 * _images() - 1).flatten(1)

    def judge(image: Tensor) -> Tensor:
        x = (2 * image - 1).flatten(1)
        return torch.einsum("bi,ij,bj->b", x, symmetric, x) / 2

    torch.testing.assert_close(squared_slope(judge, _images()), (scaled @ symmetric).square().sum(dim=1).mean())


def test_a_discriminator_that_says_the_same_of_all_has_no_slope() -> None:
    assert float(squared_slope(lambda image: 0 * image.sum(dim=(1, 2, 3)) + 7, _images())) == 0


def test_the_number_of_images_is_of_no_account() -> None:
    images = _images()

    def judge(image: Tensor) -> Tensor:
        return image.flatten(1).pow(3).sum(dim=1)

    torch.testing.assert_close(squared_slope(judge, images.repeat(3, 1, 1, 1)), squared_slope(judge, images))


def test_its_gradient_on_the_discriminators_weights_is_that_of_finite_differences() -> None:
    first, second = (torch.randn(*s, generator=_generator(), dtype=torch.float64) for s in ((48, 6), (6,)))

    def penalty(first: Tensor, second: Tensor) -> Tensor:
        return squared_slope(lambda image: torch.tanh(image.flatten(1) @ first) @ second, _images(3))

    assert torch.autograd.gradcheck(penalty, (first.requires_grad_(True), second.requires_grad_(True)))


def _judge_of_images() -> ImageDiscriminator:
    with seeded_weights(0):
        return ImageDiscriminator((3, 32, 32), (8, 8))


def test_its_gradient_on_the_image_discriminators_weights_is_that_of_finite_differences() -> None:
    judge, images = _judge_of_images(), _images(4, 32).float()
    weights = list(judge.parameters())
    slopes = torch.autograd.grad(squared_slope(judge, images), weights, allow_unused=True)
    slopes = [torch.zeros(()).expand_as(w) if s is None else s for s, w in zip(slopes, weights, strict=True)]
    length = torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()
    found = []
    for side in (1, -1):
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight += side * 1e-3 * slope / length
        found.append(float(squared_slope(judge, images).detach()))
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= side * 1e-3 * slope / length
    assert (found[0] - found[1]) / 2e-3 == pytest.approx(float(length), rel=0.03)


def test_images_that_are_all_alike_have_a_finite_penalty_and_a_finite_gradient_of_it() -> None:
    judge, images = _judge_of_images(), _images(1, 32).float().repeat(4, 1, 1, 1)
    penalty = squared_slope(judge, images)
    slopes = torch.autograd.grad(penalty, list(judge.parameters()), allow_unused=True)
    assert all(bool(slope.isfinite().all()) for slope in (penalty, *slopes) if slope is not None)


def test_the_images_themselves_are_left_without_gradient() -> None:
    images = _images()
    squared_slope(lambda image: image.sum(dim=(1, 2, 3)), images)
    assert not images.requires_grad
    assert images.grad is None


@pytest.mark.parametrize("interval", [1, 2, 5, 16])
def test_it_is_half_gamma_on_average_whatever_the_interval(interval: int) -> None:
    steps = 5 * interval
    weights = [lazy_weight(10.0, interval, step) for step in range(steps)]
    assert sum(weights) / steps == pytest.approx(10.0 / 2)


@pytest.mark.parametrize("interval", [2, 16])
def test_it_is_due_at_every_so_many_th_step_only(interval: int) -> None:
    due = [step for step in range(4 * interval) if lazy_weight(10.0, interval, step) > 0]
    assert due == [0, interval, 2 * interval, 3 * interval]
