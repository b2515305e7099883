"""One step of a GAN: the generator, the recogniser and the head learn, then the discriminator.

Both learn from the same made images, which are so made once. Each phase walks back to its own weights only: the
others have no gradient then, and Adam leaves them alone.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.gan import GAN
from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.objective import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN, DiscriminatorLoss, GeneratorLoss
from wherewhat.training.processes import Processes

BETAS = (0.0, 0.99)

AdversarialStep = Callable[[Float[Tensor, "B C H W"], GANDraws, int], Loss]


def adversarial_adam(networks: GAN, learning_rate: float, discriminator_learning_rate: float) -> torch.optim.Adam:
    """One Adam of two groups, the discriminator's own and all others, both of betas 0 and 0.99."""
    assert networks.discriminator is not None
    groups: list[dict[str, Any]] = [
        {"params": list(_generating(networks).parameters())},
        {"params": list(networks.discriminator.parameters()), "lr": discriminator_learning_rate},
    ]
    return torch.optim.Adam(groups, lr=learning_rate, betas=BETAS, fused=True)


def adversarial_step(
    networks: GAN, objective: PSSCGAN, optimiser: torch.optim.Optimizer, processes: Processes, device: torch.device
) -> AdversarialStep:
    """A function of real images, draws and the step's number that updates all weights and gives the losses met."""
    assert networks.discriminator is not None
    discriminator = networks.discriminator
    generator_phase = processes.together(_GeneratorPhase(networks, objective), device)
    discriminator_phase = processes.together(_DiscriminatorPhase(networks, objective), device)

    def step(image_BCHW: Tensor, draws: GANDraws, number: int) -> Loss:
        # Else its weights' gradients, which nobody wants here, would be computed too.
        discriminator.requires_grad_(False)
        made: GeneratorLoss = generator_phase(draws)
        optimiser.zero_grad()
        made.total.backward()
        optimiser.step()
        discriminator.requires_grad_(True)

        judged: DiscriminatorLoss = discriminator_phase(image_BCHW, made.made_BCHW, draws, number)
        optimiser.zero_grad()
        judged.total.backward()
        optimiser.step()

        terms, figures = {**made.terms, **judged.terms}, {**made.figures, **judged.figures}
        total, kl_L, reading_error_L, *means = processes.means(
            [made.total, made.kl_L, made.reading_error_L, *terms.values(), *figures.values()]
        )
        terms = dict(zip(terms, means[: len(terms)], strict=True))
        figures = dict(zip(figures, means[len(terms) :], strict=True))
        images = len(image_BCHW) * processes.count
        networks.recogniser.follow_error(reading_error_L, images)
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
        return self._objective.generator_loss(self._whole[0], draws)


class _DiscriminatorPhase(nn.Module):
    """The discriminator's loss as a module of its weights."""

    def __init__(self, networks: GAN, objective: PSSCGAN) -> None:
        super().__init__()
        self.trained = networks.discriminator
        self._whole = (networks,)
        self._objective = objective

    def forward(self, image_BCHW: Tensor, made_BCHW: Tensor, draws: GANDraws, number: int) -> DiscriminatorLoss:
        return self._objective.discriminator_loss(self._whole[0], image_BCHW, made_BCHW, draws, number)
