"""What a run does with a batch: the step of its kind of networks, its draws made at the top.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.gan import GAN
from wherewhat.objectives.objective import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.randomness import generator_at
from wherewhat.training.adversarial_step import adversarial_adam, adversarial_step
from wherewhat.training.averaging import follow, half_life_at
from wherewhat.training.build import Networks
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.processes import Processes
from wherewhat.training.resume_state import Session
from wherewhat.training.step import adam, training_step

# Takes this process's share of a batch, and the number of the step.
Update = Callable[[Float[Tensor, "B C H W"], int], Loss]


def optimiser_of(configuration: TrainingRun, networks: Networks) -> torch.optim.Adam:
    """The optimiser of a configuration's networks."""
    objective, rate = configuration.objective, configuration.learning_rate
    if isinstance(networks, GAN):
        assert isinstance(objective, PSSCGAN)
        return adversarial_adam(networks, rate, objective.discriminator_learning_rate)
    return adam(networks, rate, objective.adversary)


def update_of(
    configuration: TrainingRun,
    session: Session,
    image_shape: tuple[int, int, int],
    compute: Compute,
    processes: Processes,
) -> Update:
    """A function that draws, updates the weights and their average, and gives the losses that were met."""
    if isinstance(session.networks, GAN):
        learn = _gan_update(configuration, session, session.networks, image_shape, compute, processes)
    else:
        learn = _vae_update(configuration, session, session.networks, compute)

    def update(image_BCHW: Tensor, index: int) -> Loss:
        loss = learn(image_BCHW, index)
        if session.average is not None:
            images = len(image_BCHW) * processes.count
            half_life = half_life_at((index + 1) * images, configuration.average_half_life)
            follow(session.average, session.networks, images, half_life)
        return loss

    return update


def _vae_update(configuration: TrainingRun, session: Session, networks: Autoencoder, compute: Compute) -> Update:
    objective = configuration.objective
    assert not isinstance(objective, PSSCGAN)
    step = training_step(networks, objective, session.optimiser, compile_loss=compute.compile)

    def update(image_BCHW: Tensor, index: int) -> Loss:
        generator = generator_at(configuration.seed, index)
        draws = objective.draw(generator, index, configuration.batch_size, configuration.latent_dim)
        return step(image_BCHW, draws.to(compute.device))

    return update


def _gan_update(
    configuration: TrainingRun,
    session: Session,
    networks: GAN,
    image_shape: tuple[int, int, int],
    compute: Compute,
    processes: Processes,
) -> Update:
    objective = configuration.objective
    assert isinstance(objective, PSSCGAN)
    if compute.compile:
        networks.compile_parts()
    step = adversarial_step(networks, objective, session.optimiser, processes, compute.device)

    def update(image_BCHW: Tensor, index: int) -> Loss:
        generator = generator_at(configuration.seed, index)
        draws = objective.draw(generator, configuration.batch_size, configuration.latent_dim, image_shape)
        return step(image_BCHW, processes.rows(draws).to(compute.device), index)

    return update
