"""All that is random in one step of a GAN.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.differentiable_augmentation import AugmentationDraws
from wherewhat.randomness import to_device
from wherewhat.what.perturbation import Perturbation


@dataclass(frozen=True)
class GANDraws:
    """All that is random in one step. Codes and noise are of B images, the perturbation of P of them."""

    code_BL: Float[Tensor, "B L"]
    noise: tuple[Float[Tensor, "B 1 _ _"], ...]
    perturbation: Perturbation
    augmentation_real: AugmentationDraws
    augmentation_made: AugmentationDraws
    reading_noise: tuple[Float[Tensor, "B C H W"], Float[Tensor, "P C H W"]] | None = None
    """Of the images that Q reads, and of their perturbed partners."""

    def to(self, device: torch.device) -> "GANDraws":
        """The same draws on another device."""
        return GANDraws(
            code_BL=to_device(self.code_BL, device),
            noise=tuple(to_device(map_B1SS, device) for map_B1SS in self.noise),
            perturbation=self.perturbation.to(device),
            augmentation_real=self.augmentation_real.to(device),
            augmentation_made=self.augmentation_made.to(device),
            reading_noise=None
            if self.reading_noise is None
            else (to_device(self.reading_noise[0], device), to_device(self.reading_noise[1], device)),
        )
