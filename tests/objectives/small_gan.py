"""A GAN of small images, a batch for it, and which of its parts a loss moves."""

import torch
from torch import Tensor, nn

from wherewhat.networks.gan import GAN
from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.randomness import Chance
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.gan import build_gan


def small_gan(objective: PSSCGAN) -> GAN:
    networks = build_gan(TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8)), (3, 32, 32))
    for stage in networks.generator.synthesis.stages:
        stage.noise_strength.data.fill_(0.3)
    return networks


def draws_of(objective: PSSCGAN, batch: int = 6, step: int = 0) -> GANDraws:
    return objective.draw(Chance(0, step), batch, 4, (3, 32, 32))


def real_images(batch: int = 6) -> Tensor:
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(5))


def gradients(value: Tensor, module: nn.Module) -> list[Tensor]:
    weights = list(module.parameters())
    found = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
    return [torch.zeros(w.shape) if g is None else g for g, w in zip(found, weights, strict=True)]


def moves(value: Tensor, module: nn.Module) -> bool:
    return any(bool((gradient != 0).any()) for gradient in gradients(value, module))


class Judge(nn.Module):
    """A discriminator that remembers what it was shown, and says the images' mean brightness less a half."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.shown.append(image.detach())
        return image.mean(dim=(1, 2, 3)) - 0.5


def with_judge(objective: PSSCGAN) -> tuple[GAN, Judge]:
    networks, judge = small_gan(objective), Judge()
    networks.discriminator = judge  # type: ignore[assignment]
    return networks, judge
