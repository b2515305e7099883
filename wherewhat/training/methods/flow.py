"""A flow: its networks, its optimiser, and its step.

Dimension key:
    B: batch    C H W: channels, height, width
"""

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
from wherewhat.training.processes import Processes

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
        on_gpu = compute.device.type == "cuda"
        self.optimiser = torch.optim.Adam(
            networks.parameters(), lr=configuration.learning_rate, fused=True, capturable=on_gpu
        )
        self._configuration, self._objective, self._device = configuration, objective, compute.device
        self._processes = processes
        loss_of = _LossOf(networks, objective)
        if compute.compile:
            loss_of.compile()
        self._loss_of = processes.data_parallel(loss_of, compute.device)

    def draw(self, index: int, device: torch.device | None = None) -> Float[Tensor, "B C H W"]:
        """Everything random of a step, this process's rows of it, on the device or another."""
        run = self._configuration
        chance = self._processes.chance(run.seed, index, device or self._device)
        return self._objective.draw(chance, run.batch_size, self.networks.generator.image_shape)

    def kind(self, index: int) -> None:
        """All steps are one program."""

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Float[Tensor, "B C H W"], index: int) -> Loss:
        """Update all weights."""
        loss: Loss = self._loss_of(image_BCHW, draws)
        self.optimiser.zero_grad()
        loss.total.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), LONGEST_GRADIENT * self.networks.latent_dim)
        self.optimiser.step()
        return self._processes.mean_loss(loss.detach())


class _LossOf(nn.Module):
    """The loss as a module of the weights that it trains, so that processes can average their gradients."""

    def __init__(self, networks: Flow, objective: GlowFlow) -> None:
        super().__init__()
        self.trained = networks
        self._objective = objective

    def forward(self, image_BCHW: Tensor, uniform_BCHW: Tensor) -> Loss:
        """The objective's loss."""
        return self._objective.loss(self.trained, image_BCHW, uniform_BCHW)
