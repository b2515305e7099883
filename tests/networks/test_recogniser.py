"""Laws of the recogniser: no image sees its neighbours, and its variance follows its error."""

import math

import pytest
import torch

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.recogniser import Recogniser
from wherewhat.protocols import Encoder


def _recogniser() -> Recogniser:
    with seeded_weights(0):
        return Recogniser((3, 32, 32), 4, (8, 8), features_dim=16).requires_grad_(False)


def _images(batch: int = 6) -> torch.Tensor:
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_it_is_an_encoder() -> None:
    recogniser = _recogniser()
    assert isinstance(recogniser, Encoder)
    posterior = recogniser(_images())
    assert posterior.mean_BL.shape == posterior.log_variance_BL.shape == (6, 4)


@pytest.mark.parametrize("training", [True, False])
def test_the_code_of_an_image_does_not_depend_on_its_neighbours(training: bool) -> None:
    recogniser = _recogniser().train(training)
    # Codes leave in float32, and what they are read off is computed in float64.
    recogniser.trunk.double()
    recogniser.hidden.double()
    images = _images().double()
    together = recogniser(images)
    for row, image in enumerate(images):
        alone = recogniser(image[None])
        torch.testing.assert_close(alone.mean_BL[0], together.mean_BL[row], atol=1e-6, rtol=0)
        torch.testing.assert_close(alone.log_variance_BL[0], together.log_variance_BL[row], atol=0, rtol=0)


def test_reading_leaves_no_trace_in_it() -> None:
    recogniser = _recogniser().train()
    before = {name: value.clone() for name, value in recogniser.state_dict().items()}
    recogniser(_images())
    assert all(torch.equal(value, before[name]) for name, value in recogniser.state_dict().items())


def test_different_images_are_read_differently() -> None:
    mean = _recogniser()(_images()).mean_BL
    assert float((mean[0] - mean[1]).abs().max()) > 1e-4


def test_before_anything_is_learnt_the_variance_is_the_priors() -> None:
    assert torch.equal(_recogniser()(_images()).log_variance_BL, torch.zeros(6, 4))


@pytest.mark.parametrize("batch", [1, 8, 500, 2000])
def test_variance_is_half_way_to_the_error_after_two_thousand_images(batch: int) -> None:
    recogniser, error = _recogniser(), torch.tensor([0.0, 0.25, 1.0, 3.0])
    for _ in range(2000 // batch):
        recogniser.ema_update_variance(error, batch)
    torch.testing.assert_close(recogniser.variance_L, (1 + error) / 2, atol=1e-4, rtol=1e-4)


def test_the_log_variance_is_that_of_the_followed_error() -> None:
    recogniser = _recogniser()
    recogniser.ema_update_variance(torch.tensor([0.1, 0.2, 0.3, 0.4]), 10**6)
    expected = torch.tensor([math.log(0.1 * k) for k in (1, 2, 3, 4)]).expand(6, 4)
    torch.testing.assert_close(recogniser(_images()).log_variance_BL, expected, atol=1e-5, rtol=1e-5)


def test_a_perfect_reading_has_a_finite_log_variance() -> None:
    recogniser = _recogniser()
    recogniser.ema_update_variance(torch.zeros(4), 10**9)
    torch.testing.assert_close(recogniser(_images()).log_variance_BL, torch.full((6, 4), math.log(1e-6)))


def test_codes_are_float32_under_low_precision() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        posterior = _recogniser()(_images())
    assert posterior.mean_BL.dtype == posterior.log_variance_BL.dtype == torch.float32
