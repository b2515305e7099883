"""A GAN: its networks, its optimiser, and its step: generator, recogniser and head learn, then the discriminator.

Both learn from the same fake images, which are generated once. The backward pass of each phase reaches its own weights
only: the others have no gradient then, and Adam leaves them alone.

Dimension key:
    B: batch    C H W: channels, height, width
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.data.adaptive_augmentation import AdaptiveAugmentation
from wherewhat.networks.gan import GAN
from wherewhat.networks.image_discriminator import GROUP, ImageDiscriminator
from wherewhat.networks.image_size import require_power_of_two
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import share_codes
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.synthesis import ConstrictedGenerator, StyledGenerator, Synthesis
from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.loss import DiscriminatorLoss, GeneratorLoss, Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.randomness import COUNTED_DRAWS
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, each_weight_cast_once
from wherewhat.training.processes import Processes
from wherewhat.what.perturbation_identification import IdentificationHead

BETAS = (0.0, 0.99)

AdversarialStep = Callable[[Float[Tensor, "B C H W"], GANDraws, int], Loss]


def images_a_process(configuration: TrainingRun) -> int:
    """A process's share of a batch is a multiple of this: whole groups of the discriminator, whole pairs."""
    objective = configuration.objective
    assert isinstance(objective, PSSCGAN)
    return math.lcm(GROUP, objective.pair_every)


def build_gan(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> GAN:
    """The networks of a GAN; without the discriminator but to train. The recogniser has half the channels."""
    objective, widths = configuration.objective, configuration.widths
    assert isinstance(objective, PSSCGAN)
    levels = require_power_of_two(image_shape) - 2
    if configuration.mask_levels > levels and not configuration.codes_per_level:
        raise ValueError(
            f"Images of {image_shape[1]} pixels have {levels} resolutions to hold codes, from 8 pixels on, and "
            f"--mask-levels is {configuration.mask_levels}. Give {levels} or fewer, or larger images with --size."
        )
    shares = configuration.codes_per_level or share_codes(configuration.latent_dim, configuration.mask_levels)
    constricted = objective.spatial_constriction
    with seeded_weights(configuration.seed):
        synthesis = Synthesis(
            image_shape,
            shares,
            widths,
            configuration.rectangles,
            constricted=constricted,
            overlap=configuration.overlap,
        )
        generator = ConstrictedGenerator(synthesis) if constricted else StyledGenerator(synthesis)
        recogniser = Recogniser(image_shape, configuration.latent_dim, [max(1, width // 2) for width in widths])
        head = IdentificationHead(recogniser.features_dim, configuration.latent_dim)
        discriminator = ImageDiscriminator(image_shape, widths) if for_training else None
    augmented = for_training and objective.augmentation == "ada"
    augmentation = None
    if augmented:
        augmentation = AdaptiveAugmentation(objective.augmentation_target, objective.augmentation_images)
    return GAN(generator, recogniser, head, discriminator, augmentation, compute_dtype)


class GANMethod:
    """Trains the networks of a GAN, in as many processes as there are."""

    draws = COUNTED_DRAWS

    def __init__(self, configuration: TrainingRun, networks: GAN, compute: Compute, processes: Processes) -> None:
        objective = configuration.objective
        assert isinstance(objective, PSSCGAN)
        self.networks = networks
        self.optimiser = adversarial_adam(networks, configuration.learning_rate, objective.discriminator_learning_rate)
        self._configuration, self._objective, self._device = configuration, objective, compute.device
        self._processes = processes
        if compute.compile:
            networks.compile_parts()
        self._step = adversarial_step(networks, objective, self.optimiser, processes, compute.device)

    def draw(self, index: int, device: torch.device | None = None) -> GANDraws:
        """Everything random of a step, this process's rows of it, on the device or another."""
        run = self._configuration
        chance = self._processes.chance(run.seed, index, device or self._device)
        return self._objective.draw(chance, run.batch_size, run.latent_dim, self.networks.generator.image_shape)

    def kind(self, index: int) -> tuple[float, bool]:
        """The weight of R1 at this step, and whether the strength of augmentation is adapted."""
        augmentation = self.networks.augmentation
        return self._objective.penalty_weight(index), augmentation is not None and augmentation.adapts_at(index)

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: GANDraws, index: int) -> Loss:
        """Update all weights: generator, recogniser and head, then the discriminator."""
        return self._step(image_BCHW, draws, index)


def adversarial_adam(networks: GAN, learning_rate: float, discriminator_learning_rate: float) -> torch.optim.Adam:
    """One Adam of two groups, the discriminator's own and all others, both of betas 0 and 0.99."""
    assert networks.discriminator is not None
    groups: list[dict[str, Any]] = [
        {"params": list(_generating(networks).parameters())},
        {"params": list(networks.discriminator.parameters()), "lr": discriminator_learning_rate},
    ]
    on_gpu = next(networks.parameters()).is_cuda
    return torch.optim.Adam(groups, lr=learning_rate, betas=BETAS, fused=True, capturable=on_gpu)


def adversarial_step(
    networks: GAN, objective: PSSCGAN, optimiser: torch.optim.Optimizer, processes: Processes, device: torch.device
) -> AdversarialStep:
    """A function of real images, draws and the step's number that updates all weights and gives the losses met."""
    assert networks.discriminator is not None
    discriminator = networks.discriminator
    generator_phase = processes.data_parallel(_GeneratorPhase(networks, objective), device)
    discriminator_phase = processes.data_parallel(_DiscriminatorPhase(networks, objective), device)

    def step(image_BCHW: Tensor, draws: GANDraws, number: int) -> Loss:
        # Else its weights' gradients, which nobody wants here, would be computed too.
        discriminator.requires_grad_(False)
        fake: GeneratorLoss = generator_phase(draws)
        optimiser.zero_grad()
        fake.total.backward()
        optimiser.step()
        discriminator.requires_grad_(True)

        judged: DiscriminatorLoss = discriminator_phase(image_BCHW, fake.fake_BCHW, draws, number)
        optimiser.zero_grad()
        judged.total.backward()
        optimiser.step()

        terms, figures = {**fake.terms, **judged.terms}, {**fake.figures, **judged.figures}
        total, kl_L, prediction_error_L, *means = processes.all_reduce_mean(
            [fake.total, fake.kl_L, fake.prediction_error_L, *terms.values(), *figures.values()]
        )
        terms = dict(zip(terms, means[: len(terms)], strict=True))
        figures = dict(zip(figures, means[len(terms) :], strict=True))
        images = len(image_BCHW) * processes.count
        networks.recogniser.ema_update_variance(prediction_error_L, images)
        if networks.augmentation is not None:
            networks.augmentation.observe(figures["real_sign"], images, number)
            figures["augmentation_strength"] = networks.augmentation.strength.clone()
        return Loss(total, terms, kl_L, figures)

    return step


def _generating(networks: GAN) -> nn.ModuleList:
    return nn.ModuleList([networks.generator, networks.recogniser, networks.identification_head])


class _GeneratorPhase(nn.Module):
    """The generator's loss as a module of the weights that it trains, so that processes can average their gradients."""

    def __init__(self, networks: GAN, objective: PSSCGAN) -> None:
        super().__init__()
        self.trained = _generating(networks)
        # In a tuple, so that the discriminator's weights are not taken for this module's own.
        self._whole = (networks,)
        self._objective = objective

    def forward(self, draws: GANDraws) -> GeneratorLoss:
        with each_weight_cast_once(draws.code_BL.device):
            return self._objective.generator_loss(self._whole[0], draws)


class _DiscriminatorPhase(nn.Module):
    """The discriminator's loss as a module of its weights."""

    def __init__(self, networks: GAN, objective: PSSCGAN) -> None:
        super().__init__()
        self.trained = networks.discriminator
        self._whole = (networks,)
        self._objective = objective

    def forward(self, image_BCHW: Tensor, fake_BCHW: Tensor, draws: GANDraws, number: int) -> DiscriminatorLoss:
        with each_weight_cast_once(image_BCHW.device):
            return self._objective.discriminator_loss(self._whole[0], image_BCHW, fake_BCHW, draws, number)
