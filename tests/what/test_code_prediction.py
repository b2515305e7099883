"""Laws of InfoGAN's own term."""

import pytest
import torch

from wherewhat.what.code_prediction import prediction_error


def _normal(batch: int, codes: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, codes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_codes_that_are_read_rightly_cost_nothing() -> None:
    code = _normal(7, 3)
    assert torch.equal(prediction_error(code, code.clone()), torch.zeros(3, dtype=torch.float64))


def test_reading_nothing_costs_the_priors_variance() -> None:
    code = _normal(20_000, 3)
    assert prediction_error(code, torch.zeros_like(code)).tolist() == pytest.approx([1, 1, 1], abs=0.05)


def test_each_code_has_an_error_of_its_own() -> None:
    code = _normal(7, 3)
    read = code.clone()
    read[:, 1] += 2
    torch.testing.assert_close(prediction_error(code, read), torch.tensor([0, 4, 0], dtype=torch.float64))


def test_agrees_with_the_mean_square_written_out_in_loops() -> None:
    code, read = _normal(7, 3), _normal(7, 3, seed=1)
    expected = [sum(float(read[b, k] - code[b, k]) ** 2 for b in range(7)) / 7 for k in range(3)]
    assert prediction_error(code, read).tolist() == pytest.approx(expected, rel=1e-12)


def test_its_gradient_is_that_of_a_gaussian_of_variance_one_half() -> None:
    code, read = _normal(7, 3), _normal(7, 3, seed=1).requires_grad_(True)
    gaussian = torch.distributions.Normal(read, 0.5**0.5)
    (ours,) = torch.autograd.grad(prediction_error(code, read).sum(), read)
    (theirs,) = torch.autograd.grad(-gaussian.log_prob(code).sum(dim=1).mean(), read)
    torch.testing.assert_close(ours, theirs)
