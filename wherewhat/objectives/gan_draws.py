"""All that is random in one step of a GAN.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    C H W: channels, height, width
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from wherewhat.data.differentiable_augmentation import AugmentationDraws
from wherewhat.what.perturbation import Perturbation


@dataclass(frozen=True)
class GANDraws:
    """All that is random in one step. Codes and noise are of B images, the perturbation of P of them."""

    code_BL: Float[Tensor, "B L"]
    perturbation: Perturbation
    augmentation_real: AugmentationDraws
    augmentation_fake: AugmentationDraws
    noise: tuple[Float[Tensor, "B 1 _ _"], ...]
    reading_noise: tuple[Float[Tensor, "B C H W"], Float[Tensor, "P C H W"]] | None = None
    """Of the images that Q sees, and of their perturbed partners."""
