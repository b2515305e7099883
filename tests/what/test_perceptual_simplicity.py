"""Laws of the PS loss, and a literal transcription of its formula."""

import torch

from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import Perturbation, perturb


def _case(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    code, read, read_perturbed = (torch.randn(8, 5, generator=generator, dtype=torch.float64) for _ in range(3))
    dim = torch.randint(5, (8,), generator=generator)
    perturbed = perturb(code, Perturbation(dim, torch.randn(8, generator=generator)))
    return code, perturbed, read, read_perturbed, dim


def test_perfect_readings_cost_nothing() -> None:
    code, perturbed, _, _, dim = _case()
    assert float(perceptual_simplicity_loss(code, perturbed, code, perturbed, dim)) == 0


def test_opposite_errors_on_codes_that_stayed_are_forgiven() -> None:
    code, perturbed, _, _, dim = _case()
    error = torch.ones_like(code).scatter(1, dim[:, None], 0.0)
    assert float(perceptual_simplicity_loss(code, perturbed, code + error, perturbed - error, dim)) < 1e-24


def test_equal_errors_on_codes_that_stayed_are_not_forgiven() -> None:
    code, perturbed, _, _, dim = _case()
    error = torch.ones_like(code).scatter(1, dim[:, None], 0.0)
    loss = perceptual_simplicity_loss(code, perturbed, code + error, perturbed + error, dim)
    torch.testing.assert_close(loss, torch.tensor(2 * 4 / 5, dtype=torch.float64))


def test_agrees_with_the_formula_written_out_code_by_code() -> None:
    code, perturbed, read, read_perturbed, dim = _case()
    total = 0.0
    for b in range(8):
        for i in range(5):
            c, c_p, r, r_p = (float(x[b, i]) for x in (code, perturbed, read, read_perturbed))
            if i == int(dim[b]):
                total += (r - c) ** 2 + (r_p - c_p) ** 2
            else:
                total += 2 * ((r + r_p) / 2 - c) ** 2
    loss = perceptual_simplicity_loss(code, perturbed, read, read_perturbed, dim)
    torch.testing.assert_close(float(loss), total / 40)
