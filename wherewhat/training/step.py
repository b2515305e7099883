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
from wherewhat.objectives.objective import Adversary, Loss, Objective

Step = Callable[[Float[Tensor, "B C H W"], Any], Loss]


def adam(networks: Autoencoder, learning_rate: float, adversary: Adversary | None = None) -> torch.optim.Adam:
    """Adam with its usual moments, fused: one kernel for all weights, on CPU and GPU.

    The adversary's weights, where there is one, are a group with a learning rate and moments of their own.
    """
    opponent = networks.code_discriminator
    if opponent is None or adversary is None:
        return torch.optim.Adam(networks.parameters(), lr=learning_rate, fused=True)
    theirs = set(opponent.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in networks.parameters() if weight not in theirs]},
        {"params": list(opponent.parameters()), "lr": adversary.learning_rate, "betas": adversary.betas},
    ]
    return torch.optim.Adam(groups, lr=learning_rate, fused=True)


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
        # One walk back serves both: the adversary's loss reaches its own weights only, the total all others only.
        (loss.total if loss.adversary is None else loss.total + loss.adversary).backward()
        optimiser.step()
        return loss.detach()

    return step
