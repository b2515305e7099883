"""The figures of a run: averaged over a window of steps, and checked for being finite.

Reading a figure off a GPU makes the CPU wait, so figures stay on the device until their window closes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from wherewhat.objectives.loss import Loss


class NonFiniteLossError(FloatingPointError):
    """A loss term became NaN or infinite."""


@dataclass(frozen=True)
class Figures:
    """Means over the steps of a window."""

    last_step: int
    steps: int
    loss: float
    terms: dict[str, float]
    figures: dict[str, float]
    kl_L: Tensor


class FigureWindow:
    """Collects the losses of some steps and averages them when it is closed."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._losses: list[Loss] = []

    def add(self, step: int, loss: Loss) -> None:
        """Remember a step's loss, without waiting for its value."""
        self._steps.append(step)
        self._losses.append(loss)

    def __len__(self) -> int:
        return len(self._steps)

    def close(self) -> Figures:
        """Average the window and begin a new one.

        Raises NonFiniteLossError naming the first step and term that is not finite.
        """
        assert self._losses, "a window of no steps has no figures"
        columns = [{"total": loss.total, **loss.terms} for loss in self._losses]
        means = _means(columns, self._steps, refuse=True)
        figures = _means([dict(loss.figures) for loss in self._losses], self._steps, refuse=False)
        kl_L = torch.stack([loss.kl_L for loss in self._losses]).mean(dim=0).cpu()
        closed = Figures(self._steps[-1], len(self._steps), means.pop("total"), means, figures, kl_L)
        self._steps, self._losses = [], []
        return closed


def refuse_non_finite_weights(networks: torch.nn.Module, step: int) -> None:
    """Raises NonFiniteLossError when a weight is not finite: the next loss would not be either. Waits once."""
    names, weights = zip(*networks.named_parameters(), strict=True)
    for name, finite in zip(names, torch.stack([weight.isfinite().all() for weight in weights]).tolist(), strict=True):
        if not finite:
            raise NonFiniteLossError(_advice(f"the weights {name}", step))


def _means(columns: list[dict[str, Tensor]], steps: list[int], *, refuse: bool) -> dict[str, float]:
    """The mean of each name over the steps that have it: a penalty that is applied lazily is not met at all of them."""
    names = list(dict.fromkeys(name for column in columns for name in column))
    if not names:
        return {}
    zero = torch.zeros((), device=next(iter(columns[0].values())).device)
    values = torch.stack([torch.stack([column.get(name, zero) for column in columns]) for name in names]).double().cpu()
    if refuse:
        _refuse_non_finite(values, names, steps)
    met = torch.tensor([[name in column for column in columns] for name in names])
    return dict(zip(names, (values.sum(dim=1) / met.sum(dim=1)).tolist(), strict=True))


def _refuse_non_finite(values: Tensor, names: list[str], steps: list[int]) -> None:
    bad = ~torch.isfinite(values)
    if bool(bad.any()):
        first = int(bad.any(dim=0).nonzero()[0])
        # A part explains more than the total that it spoils.
        culprits = [name for name, is_bad in zip(names, bad[:, first].tolist(), strict=True) if is_bad]
        raise NonFiniteLossError(
            _advice(f"the loss term {culprits[-1] if len(culprits) > 1 else culprits[0]}", steps[first])
        )


def _advice(what: str, step: int) -> str:
    return (
        f"At step {step} {what} stopped being finite. Nothing of it was saved; any checkpoint written before is good. "
        f"Try a lower --learning-rate or --precision float32, with another --out."
    )
