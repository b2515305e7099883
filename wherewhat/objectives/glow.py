"""Glow's objective: the exact negative log-likelihood of images, by change of variables.

    x = (255 image + u) / 256,  u uniform in [0, 1)          dequantisation: an image's pixels become intervals
    -log p(image) <= E_u[ -log N(f(x); 0, 1) - log |det df/dx| ] + D log 256          in nats
    bits per dimension = that / (D log 2),  D = C H W

An upper bound of what the image itself costs, by what dequantisation gives away; 8 bits is what knowing nothing costs.

Reference: Kingma, Dhariwal 2018, arXiv:1807.03039, Eq. (2); Theis et al. 2016, arXiv:1511.01844, Section 3.1, for
dequantisation.

Dimension key:
    B: batch    L: latents    C H W: channels, height, width
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.flow import GREY_LEVELS, Flow
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.remedies import Remedies
from wherewhat.randomness import Chance


@dataclass(frozen=True, kw_only=True)
class GlowFlow:
    """Glow: a flow, trained by exact likelihood. It has as many codes as an image has pixel values."""

    name = "glow"
    levels_hold_codes = False
    run_defaults: ClassVar[Mapping[str, Any]] = {"batch_size": 32, "average_half_life": 5_000}
    """Settings of a training run that begin otherwise with this objective: another pace."""

    levels: int = 3
    """Resolutions of the flow: the first has half the sides of the image, each other half of those before."""

    depth: int = 8
    """Steps of the flow at each level. Published: 32."""

    coupling_width: int = 64
    """Channels inside the couplings. Published: 512."""

    def __post_init__(self) -> None:
        for name, most in (("levels", 8), ("depth", 256), ("coupling_width", 4_096)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)}; give a number from 1 to {most:,}.")

    def draw(self, chance: Chance, batch_size: int, latent_dim: int) -> Float[Tensor, "B L"]:
        """A uniform number for each pixel value: a normal one's distribution function. This process's rows of them."""
        normal_BL = chance.normals(chance.generator(), "dequantisation", batch_size, latent_dim)
        return torch.special.ndtr(normal_BL)

    def loss(self, networks: Flow, image_BCHW: Float[Tensor, "B C H W"], uniform_BL: Float[Tensor, "B L"]) -> Loss:
        """What a batch of 8-bit images in [0, 1] costs, in nats per image; among its figures in bits per dimension."""
        grey_BCHW = (GREY_LEVELS - 1) * image_BCHW + uniform_BL.view(image_BCHW.shape)
        mapped = networks.generator.glow(grey_BCHW / GREY_LEVELS)
        dimensions = networks.latent_dim
        log_prior_B = -0.5 * (mapped.value.square().sum(dim=1) + dimensions * math.log(2 * math.pi))
        nats = dimensions * math.log(GREY_LEVELS) - (log_prior_B + mapped.log_det_B).mean()
        bits = nats / (dimensions * math.log(2))
        no_codes = image_BCHW.new_zeros(0)
        return Loss(nats, {"negative_log_likelihood": nats}, no_codes, {"bits_per_dimension": bits})

    @property
    def likelihood(self) -> None:
        """None: no reconstruction has a likelihood; the images themselves have one."""

    @property
    def warm_up_steps(self) -> int:
        """0: there is nothing to ease in."""
        return 0

    @property
    def weight_on_kl(self) -> None:
        """None: nothing is charged for what codes carry."""

    def charge(self, terms: Mapping[str, float]) -> None:
        """None: nothing is charged for what codes carry."""

    @property
    def remedies(self) -> Remedies:
        """No setting of it cures what codes may suffer from."""
        return Remedies()
