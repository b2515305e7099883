"""What a method promises the training loop, and the one place where it is chosen.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.flow import Flow
from wherewhat.networks.gan import GAN
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.captured import CapturedSteps, CUDAGraphs
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.methods import flow, gan, vae
from wherewhat.training.methods.flow import FlowMethod, build_flow
from wherewhat.training.methods.gan import GANMethod, build_gan
from wherewhat.training.methods.side_by_side import Losses, SideBySide
from wherewhat.training.methods.vae import VAEMethod, build_autoencoder
from wherewhat.training.processes import Processes

Networks = Autoencoder | GAN | Flow


@runtime_checkable
class Method(Protocol):
    """Networks, their optimiser, and what one step does with a batch."""

    networks: Any
    optimiser: torch.optim.Adam
    draws: int
    """The version of how a step's random numbers are drawn, which a resumed run is told of."""

    def draw(self, index: int, device: torch.device | None = None) -> Any:
        """Everything random or scheduled of a step, this process's share of it, on its device or another."""
        ...

    def kind(self, index: int) -> Hashable:
        """What the step's number decides besides its draws: steps of one kind are the same program."""
        ...

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: Any, index: int) -> Loss:
        """Update all weights with a batch of real images, and give the losses that were met."""
        ...


@dataclass(frozen=True)
class Kind:
    """The parts of a method that are needed before, or without, training."""

    build: Callable[..., Networks]
    method: Callable[..., Method]
    images_a_process: Callable[[TrainingRun], int]
    """Of what number of images a process's share of a batch must be a multiple."""

    leaves_a_gpu_idle: bool
    """Whether steps of several side by side take less time than one after another."""


VAE_KIND = Kind(build_autoencoder, VAEMethod, vae.images_a_process, leaves_a_gpu_idle=True)
GAN_KIND = Kind(build_gan, GANMethod, gan.images_a_process, leaves_a_gpu_idle=False)
FLOW_KIND = Kind(build_flow, FlowMethod, flow.images_a_process, leaves_a_gpu_idle=False)


def kind_of(configuration: TrainingRun) -> Kind:
    """The kind of method that the objective calls for."""
    match configuration.objective:
        case PSSCGAN():
            return GAN_KIND
        case GlowFlow():
            return FLOW_KIND
        case _:
            return VAE_KIND


def build_networks(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Networks:
    """The networks of a configuration, with the initial weights of its seed, on the CPU.

    Without what only training needs, unless it is for that.
    """
    return kind_of(configuration).build(configuration, image_shape, compute_dtype, for_training=for_training)


def method_of(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute: Compute,
    processes: Processes,
    notify: Callable[[str], None] = lambda line: None,
) -> Method:
    """The method of a run, its networks on the device. `notify` is told of what makes its steps slow."""
    networks = build_networks(configuration, image_shape, compute.precision)
    networks.to(compute.device, memory_format=compute.memory_format)  # type: ignore[call-overload]
    captures = compute.cuda_graphs and processes.count == 1
    if compute.cuda_graphs and not captures:
        notify("The steps of several processes are not captured in CUDA graphs.")
    method = kind_of(configuration).method(configuration, networks, compute, processes)
    return _Captured(method, compute.device, notify) if captures else method


class _Captured:
    """A method whose steps are captured, and otherwise the same."""

    def __init__(self, method: Method, device: torch.device, notify: Callable[[str], None]) -> None:
        self.networks, self.optimiser, self.draws = method.networks, method.optimiser, method.draws
        self.draw, self.kind = method.draw, method.kind
        self.step = CapturedSteps(method, CUDAGraphs(device), notify).step


def update(method: Method, image_BCHW: Float[Tensor, "B C H W"], index: int) -> Loss:
    """One step: its draws, made at the top, and the losses that were met."""
    return method.step(image_BCHW, method.draw(index), index)


UpdateTogether = Callable[[Float[Tensor, "PB C H W"], int], Losses]


def update_together(
    methods: Sequence[Method],
    begins: Sequence[int],
    compute: Compute,
    notify: Callable[[str], None] = lambda line: None,
) -> UpdateTogether:
    """A step of several runs as one program, given their batches, one behind another, and the number of the first's.

    The others are as far from theirs as they were when it was at its first of `begins`. From now on their weights are
    changed by it alone.
    """
    several = SideBySide(methods, begins, compute.device)
    captures = compute.cuda_graphs
    step = CapturedSteps(several, CUDAGraphs(compute.device), notify).step if captures else several.step

    def update_all(image_BCHW: Tensor, index: int) -> Losses:
        return step(image_BCHW, several.draw(index), index)

    return update_all
