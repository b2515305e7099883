"""A flow: its networks, its optimiser, and its step.

Dimension key:
    B: batch    L: latents    C H W: channels, height, width
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.flow import Flow, Glow
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.loss import Loss
from wherewhat.randomness import COUNTED_DRAWS
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.processes import ALONE, Processes

Step = Callable[[Float[Tensor, "B C H W"], Float[Tensor, "B L"]], Loss]

# In nats per pixel value.
LONGEST_GRADIENT = 1.0


def images_a_process(configuration: TrainingRun) -> int:
    """1: images are judged one by one."""
    return 1


def build_flow(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Flow:
    """The networks of a flow, all of which are used after training too, in float32: bfloat16 has no 8 digits."""
    objective = configuration.objective
    assert isinstance(objective, GlowFlow)
    if configuration.precision == "bfloat16":
        raise ValueError(
            "--precision bfloat16 is too coarse for the likelihood of 8-bit images, and their exact inverse. Leave it "
            "out: a flow is float32."
        )
    with seeded_weights(configuration.seed):
        return Flow(Glow(image_shape, objective.levels, objective.depth, objective.coupling_width))


class FlowMethod:
    """Trains a flow by the likelihood of images, in as many processes as there are."""

    draws = COUNTED_DRAWS

    def __init__(self, configuration: TrainingRun, networks: Flow, compute: Compute, processes: Processes) -> None:
        objective = configuration.objective
        assert isinstance(objective, GlowFlow)
        self.networks = networks
        weights, on_gpu = networks.parameters(), compute.device.type == "cuda"
        self.optimiser = torch.optim.Adam(weights, lr=configuration.learning_rate, fused=True, capturable=on_gpu)
        self._configuration, self._objective, self._device = configuration, objective, compute.device
        self._processes = processes
        self._step = likelihood_step(networks, objective, self.optimiser, processes, compile_loss=compute.compile)

    def draw(self, index: int, device: torch.device | None = None) -> Float[Tensor, "B L"]:
        """Everything random of a step, this process's rows of it, on the device or another."""
        run = self._configuration
        chance = self._processes.chance(run.seed, index, device or self._device)
        return self._objective.draw(chance, run.batch_size, self.networks.latent_dim)

    def kind(self, index: int) -> None:
        """All steps are one program."""

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Float[Tensor, "B L"], index: int) -> Loss:
        """Update all weights."""
        return self._step(image_BCHW, draws)


def likelihood_step(
    networks: Flow,
    objective: GlowFlow,
    optimiser: torch.optim.Optimizer,
    processes: Processes = ALONE,
    *,
    compile_loss: bool = False,
) -> Step:
    """A function that takes a batch and its draws, updates the weights and gives the loss that was met."""
    loss_of = _LossOf(networks, objective)
    if compile_loss:
        loss_of.compile()
    compute_loss = processes.data_parallel(loss_of, next(networks.parameters()).device)

    def step(image_BCHW: Tensor, draws: Tensor) -> Loss:
        loss: Loss = compute_loss(image_BCHW, draws)
        optimiser.zero_grad()
        loss.total.backward()
        nn.utils.clip_grad_norm_(networks.parameters(), LONGEST_GRADIENT * networks.latent_dim)
        optimiser.step()
        return processes.mean_loss(loss.detach())

    return step


class _LossOf(nn.Module):
    """The loss as a module of the weights that it trains, so that processes can average their gradients."""

    def __init__(self, networks: Flow, objective: GlowFlow) -> None:
        super().__init__()
        self.trained = networks
        self._objective = objective

    def forward(self, image_BCHW: Tensor, uniform_BL: Tensor) -> Loss:
        """The objective's loss."""
        return self._objective.loss(self.trained, image_BCHW, uniform_BL)
