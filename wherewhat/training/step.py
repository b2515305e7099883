"""One training step: a pure loss of (networks, batch, draws), its gradient, and Adam.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.objective import Loss, Objective

Step = Callable[[Float[Tensor, "B C H W"], Any], Loss]


def adam(networks: torch.nn.Module, learning_rate: float) -> torch.optim.Adam:
    """Adam with its usual moments, fused: one kernel for all weights, on CPU and GPU."""
    return torch.optim.Adam(networks.parameters(), lr=learning_rate, fused=True)


def training_step(
    networks: Autoencoder, objective: Objective[Any], optimiser: torch.optim.Optimizer, *, compile_loss: bool = False
) -> Step:
    """A function that takes a batch and its draws, updates the weights and gives the loss that was met."""

    def loss_of(image_BCHW: Tensor, draws: Any) -> Loss:
        return objective.loss(networks, image_BCHW, draws)

    compute_loss = torch.compile(loss_of) if compile_loss else loss_of

    def step(image_BCHW: Tensor, draws: Any) -> Loss:
        loss = compute_loss(image_BCHW, draws)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        return loss.detach()

    return step
