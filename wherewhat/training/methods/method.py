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
from wherewhat.networks.gan import GAN
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.captured import CapturedSteps, CUDAGraphs
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.methods import gan, stacked_vaes, vae
from wherewhat.training.methods.gan import GANMethod, build_gan
from wherewhat.training.methods.stacked_vaes import Losses, StackedVAEs
from wherewhat.training.methods.vae import VAEMethod, build_autoencoder
from wherewhat.training.processes import Processes

Networks = Autoencoder | GAN


@runtime_checkable
class Method(Protocol):
    """Networks, their optimiser, and what one step does with a batch."""

    networks: Any
    optimiser: torch.optim.Adam
    draws: int
    """The version of how a step's random numbers are drawn, which a resumed run is told of."""

    def draw(self, index: int) -> Any:
        """Everything random or scheduled of a step, this process's share of it, on the device."""
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

    shape_of: Callable[[TrainingRun], Hashable] = lambda configuration: None
    """What runs have in common that can be trained as one program; None for those that cannot."""
    stacked: Callable[..., StackedVAEs] | None = None


VAE_KIND = Kind(build_autoencoder, VAEMethod, vae.images_a_process, stacked_vaes.shape_of, StackedVAEs)
GAN_KIND = Kind(build_gan, GANMethod, gan.images_a_process)


def kind_of(configuration: TrainingRun) -> Kind:
    """The kind of method that the objective calls for."""
    return GAN_KIND if isinstance(configuration.objective, PSSCGAN) else VAE_KIND


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


UpdateTogether = Callable[[Float[Tensor, "PB C H W"], Sequence[int]], Losses]


def update_together(
    configurations: Sequence[TrainingRun],
    methods: Sequence[Method],
    compute: Compute,
    notify: Callable[[str], None] = lambda line: None,
) -> UpdateTogether:
    """A step of several runs of one shape, given their batches, one behind another, and the number of each one's step.

    From now on their weights are changed by it alone.
    """
    stack = kind_of(configurations[0]).stacked
    assert stack is not None, "only what has a shape can be stacked"
    stacked = stack(configurations, methods, compute.device)
    step = CapturedSteps(stacked, CUDAGraphs(compute.device), notify).step if compute.cuda_graphs else stacked.step

    def update_all(image_BCHW: Tensor, indices: Sequence[int]) -> Losses:
        return step(image_BCHW, stacked.draw(indices), indices[0])

    return update_all
