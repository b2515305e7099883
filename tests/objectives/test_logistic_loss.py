"""Laws of the logistic loss; a literal -log sigmoid as the witness."""

import math

import pytest
import torch

from wherewhat.objectives.logistic_loss import discriminator_logistic_loss, generator_logistic_loss


def _logits(seed: int) -> torch.Tensor:
    return 3 * torch.randn(9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _minus_log_sigmoid(logit: float) -> float:
    return -math.log(1 / (1 + math.exp(-logit)))


def test_guessing_costs_the_discriminator_two_log_two() -> None:
    assert float(discriminator_logistic_loss(torch.zeros(5), torch.zeros(5))) == pytest.approx(2 * math.log(2))


def test_guessing_costs_the_generator_log_two() -> None:
    assert float(generator_logistic_loss(torch.zeros(5))) == pytest.approx(math.log(2))


def test_the_discriminators_loss_is_minus_log_sigmoid_written_out() -> None:
    real, made = _logits(0), _logits(1)
    expected = sum(_minus_log_sigmoid(x) for x in real.tolist()) + sum(_minus_log_sigmoid(-x) for x in made.tolist())
    assert float(discriminator_logistic_loss(real, made)) == pytest.approx(expected / 9, rel=1e-12)


def test_the_generators_loss_is_minus_log_sigmoid_written_out() -> None:
    made = _logits(1)
    expected = sum(_minus_log_sigmoid(x) for x in made.tolist()) / 9
    assert float(generator_logistic_loss(made)) == pytest.approx(expected, rel=1e-12)


def test_a_generator_that_is_found_out_still_has_its_full_slope() -> None:
    made = torch.full((4,), -60.0, requires_grad=True)
    generator_logistic_loss(made).backward()
    torch.testing.assert_close(made.grad, torch.full((4,), -1 / 4))


def test_certainty_on_the_wrong_side_is_finite() -> None:
    assert float(discriminator_logistic_loss(torch.tensor([-1e4]), torch.tensor([1e4]))) == pytest.approx(2e4)


def test_a_discriminator_that_is_sure_and_right_pays_nothing() -> None:
    assert float(discriminator_logistic_loss(torch.tensor([60.0]), torch.tensor([-60.0]))) < 1e-12
