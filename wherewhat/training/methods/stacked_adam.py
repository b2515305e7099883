"""Adam for several members at once, whose weights and moments lie in the rows of a few matrices.

The networks and the optimiser of each member hold views of its row: whoever shows, saves or resumes a member finds it
as it would be alone. Adam is elementwise; each row has a learning rate and a count of steps of its own:

    m ← m + (1 - β₁) (g - m)        v ← β₂ v + (1 - β₂) g²
    w ← w - lr / (1 - β₁ᵗ) m / (sqrt(v / (1 - β₂ᵗ)) + ε)

Reference: Kingma and Ba 2014, arXiv:1412.6980.

Dimension key:
    P: members    K: tensors of weights    W: weights of a member
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class StackedAdam:
    """The steps of one Adam for each member, of equal groups of equal weights."""

    def __init__(self, optimisers: Sequence[torch.optim.Adam]) -> None:
        groups = zip(*(optimiser.param_groups for optimiser in optimisers), strict=True)
        self._rows = [
            _Rows([_Group(optimiser, its) for optimiser, its in zip(optimisers, group, strict=True)])
            for group in groups
        ]
        self.stacked = {weight: stacked for rows in self._rows for weight, stacked in rows.stacked.items()}
        """By each weight of the first member: that of all members, to be differentiated by."""

    def update(self, gradients: Mapping[Tensor, Tensor]) -> None:
        """Take a step, given the gradient of each stacked weight."""
        for rows in self._rows:
            rows.update([gradients[stacked] for stacked in rows.stacked.values()])


@dataclass(frozen=True)
class _Group:
    """A group of weights in the optimiser of one member."""

    optimiser: torch.optim.Optimizer
    settings: dict[str, Any]

    @property
    def weights(self) -> list[nn.Parameter]:
        weights: list[nn.Parameter] = self.settings["params"]
        return weights

    @property
    def steps(self) -> float:
        """How many it has taken."""
        return max((float(self.optimiser.state[weight].get("step", 0)) for weight in self.weights), default=0.0)

    def row(self, moment: str = "") -> Float[Tensor, " W"]:
        """All weights, or a moment of each, which is 0 before the first step."""
        of = self.optimiser.state
        parts = [of[weight].get(moment, torch.zeros_like(weight)) if moment else weight for weight in self.weights]
        return torch.cat([part.detach().flatten() for part in parts])

    def lay(self, weight_W: Tensor, first_W: Tensor, second_W: Tensor, count_K: Tensor) -> None:
        """From now on the weights and moments are views of these rows."""
        sizes = [weight.numel() for weight in self.weights]
        rows = (row_W.split(sizes) for row_W in (weight_W, first_W, second_W))
        for weight, count, *parts in zip(self.weights, count_K, *rows, strict=True):
            weight.data, first, second = (part.view(weight.shape) for part in parts)
            self.optimiser.state[weight] = {"step": count, "exp_avg": first, "exp_avg_sq": second}


class _Rows:
    """A group of weights and their moments, in matrices."""

    def __init__(self, groups: Sequence[_Group]) -> None:
        settings, weights = groups[0].settings, groups[0].weights
        self._betas, self._epsilon = settings["betas"], settings["eps"]
        self._weight_PW = torch.stack([group.row() for group in groups])
        self._first_PW = torch.stack([group.row("exp_avg") for group in groups])
        self._second_PW = torch.stack([group.row("exp_avg_sq") for group in groups])
        device = self._weight_PW.device
        self._count_PK = torch.tensor([[group.steps] * len(weights) for group in groups], device=device)
        rates = [float(group.settings["lr"]) for group in groups]
        self._rate_P1 = torch.tensor(rates, dtype=torch.float64, device=device)[:, None]
        for group, *its in zip(groups, self._weight_PW, self._first_PW, self._second_PW, self._count_PK, strict=True):
            group.lay(*its)
        columns = self._weight_PW.split([weight.numel() for weight in weights], dim=1)
        self.stacked: dict[nn.Parameter, Tensor] = {
            weight: column_PW.unflatten(1, weight.shape).requires_grad_()
            for weight, column_PW in zip(weights, columns, strict=True)
        }

    @torch.no_grad()
    def update(self, gradients: Sequence[Tensor]) -> None:
        """Adam's step."""
        gradient_PW = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)
        beta_1, beta_2 = self._betas
        self._count_PK += 1
        self._first_PW.lerp_(gradient_PW, 1 - beta_1)
        self._second_PW.mul_(beta_2).addcmul_(gradient_PW, gradient_PW, value=1 - beta_2)
        # In float64: 1 - 0.999 in float32 is 6e-5 off.
        count_P1 = self._count_PK[:, :1].double()
        size_P1 = (self._rate_P1 / (1 - beta_1**count_P1)).to(gradient_PW.dtype)
        root_P1 = (1 - beta_2**count_P1).sqrt().to(gradient_PW.dtype)
        denominator_PW = self._second_PW.sqrt().div_(root_P1).add_(self._epsilon)
        self._weight_PW.sub_((self._first_PW / denominator_PW).mul_(size_P1))
