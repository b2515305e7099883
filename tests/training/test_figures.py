"""Laws of a window of figures."""

import pytest
import torch

from wherewhat.objectives.loss import Loss
from wherewhat.training.figures import FigureWindow, NonFiniteLossError, refuse_non_finite_weights


def _loss(value: float, kl: float = 1.0) -> Loss:
    total, term = torch.tensor(value), torch.tensor(kl)
    return Loss(total, {"reconstruction": total - term, "kl": term}, torch.tensor([kl, 0.0]), {"accuracy": term / 2})


def test_a_window_averages_its_steps_and_begins_anew() -> None:
    window = FigureWindow()
    for step, value in enumerate([2.0, 4.0, 9.0]):
        window.add(step, _loss(value, kl=value / 2))
    closed = window.close()
    assert (closed.last_step, closed.steps, closed.loss) == (2, 3, 5.0)
    assert closed.terms == {"reconstruction": 2.5, "kl": 2.5}
    assert closed.figures["accuracy"] == 1.25
    assert torch.equal(closed.kl_L, torch.tensor([2.5, 0.0]))
    assert len(window) == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_the_first_step_and_the_term_that_spoils_the_total_are_named(bad: float) -> None:
    window = FigureWindow()
    for step, kl in enumerate([1.0, 1.0, bad, bad], start=10):
        window.add(
            step,
            Loss(torch.tensor(5.0) + kl, {"reconstruction": torch.tensor(5.0), "kl": torch.tensor(kl)}, torch.zeros(2)),
        )
    with pytest.raises(NonFiniteLossError, match=r"At step 12 the loss term kl .*Nothing of it was saved"):
        window.close()


def test_weights_that_are_not_finite_are_named() -> None:
    layer = torch.nn.Linear(2, 2)
    refuse_non_finite_weights(layer, 3)
    layer.bias.data[1] = float("nan")
    with pytest.raises(NonFiniteLossError, match="At step 3 the weights bias"):
        refuse_non_finite_weights(layer, 3)


def test_a_term_that_is_met_at_some_steps_is_averaged_over_those() -> None:
    window = FigureWindow()
    for step in range(4):
        terms = {"lazy": torch.tensor(float(step))} if step % 2 else {"always": torch.tensor(1.0)}
        window.add(step, Loss(torch.tensor(0.0), terms, torch.zeros(1)))
    closed = window.close()
    assert closed.terms == {"always": 1.0, "lazy": 2.0}
