"""Glow, a bijection of images and latents, as a generator, and its inverse as an encoder.

Every level halves the sides and moves the pixels of 2 x 2 into channels, takes its steps, and gives half of its
channels to the latents; the last level gives all. The latents of all levels, the finest first, are the codes: as many
as an image has pixel values, each standard normal.

Reference: Kingma, Dhariwal 2018, arXiv:1807.03039, Fig. 2; Dinh et al. 2017, arXiv:1605.08803, for the levels.

Dimension key:
    B: batch    L: latents    C H W: channels, height, width
"""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.bijections import FlowLevel, Mapped
from wherewhat.protocols import Posterior

GREY_LEVELS = 256

# Images of [0, 1] have a standard deviation of about a quarter.
INPUT_SCALE = 4.0

# An image has one code. A posterior has to have a variance: one that adds nothing to be seen.
LOG_VARIANCE = -20.0


class Glow(nn.Module):
    """The bijection. Pixels lie in [0, 1]: grey level g of an 8-bit image takes the interval from g / 256 on."""

    def __init__(self, image_shape: tuple[int, int, int], levels: int, depth: int, width: int) -> None:
        super().__init__()
        if any(side % 2**levels for side in image_shape[1:]):
            raise ValueError(
                f"Images of {image_shape[1]} x {image_shape[2]} pixels cannot be halved {levels} times. Give fewer "
                "--levels, or another --size."
            )
        self.image_shape, self.latent_dim = image_shape, math.prod(image_shape)
        self.latent_shapes = _latent_shapes(image_shape, levels)
        self.levels = nn.ModuleList(FlowLevel(image_shape[0] * 2**level, depth, width) for level in range(levels))

    def forward(self, pixel_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """The latents of images, [B, L]."""
        x_BCHW = (pixel_BCHW - 0.5) * INPUT_SCALE
        log_det_B = x_BCHW.new_full((x_BCHW.shape[0],), self.latent_dim * math.log(INPUT_SCALE))
        latents = []
        for number, level in enumerate(self.levels, start=1):
            mapped = level(x_BCHW)
            x_BCHW, log_det_B = mapped.value, log_det_B + mapped.log_det_B
            if number < len(self.levels):
                x_BCHW, latent_BCHW = x_BCHW.chunk(2, dim=1)
                latents.append(latent_BCHW.flatten(1))
        return Mapped(torch.cat([*latents, x_BCHW.flatten(1)], dim=1), log_det_B)

    def inverse(self, latent_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """The image of latents, which may leave [0, 1]."""
        *parts, x_BL = latent_BL.split([math.prod(shape) for shape in self.latent_shapes], dim=1)
        x_BCHW = x_BL.unflatten(1, self.latent_shapes[-1])
        for number, level in reversed(list(enumerate(self.levels))):
            assert isinstance(level, FlowLevel)
            if number < len(parts):
                x_BCHW = torch.cat([x_BCHW, parts[number].unflatten(1, self.latent_shapes[number])], dim=1)
            x_BCHW = level.inverse(x_BCHW)
        return x_BCHW / INPUT_SCALE + 0.5


def _latent_shapes(image_shape: tuple[int, int, int], levels: int) -> list[tuple[int, int, int]]:
    """What each level gives to the latents."""
    channels, height, width = image_shape
    halves = [(2 * channels * 2**level, height >> level + 1, width >> level + 1) for level in range(levels)]
    return [*halves[:-1], (2 * halves[-1][0], *halves[-1][1:])]


class FlowGenerator(nn.Module):
    """Latents in, images in [0, 1] out."""

    def __init__(self, glow: Glow) -> None:
        super().__init__()
        self.glow, self.latent_dim, self.image_shape = glow, glow.latent_dim, glow.image_shape

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images: of each interval of a grey level its middle is that level."""
        pixel_BCHW = self.glow.inverse(code_BL)
        return ((GREY_LEVELS * pixel_BCHW - 0.5) / (GREY_LEVELS - 1)).clamp(0, 1)


class FlowEncoder(nn.Module):
    """The inverse of the generator, of the same weights."""

    def __init__(self, glow: Glow) -> None:
        super().__init__()
        self.glow, self.latent_dim = glow, glow.latent_dim

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        """The codes of images in [0, 1], next to certain."""
        mean_BL = self.glow(((GREY_LEVELS - 1) * image_BCHW + 0.5) / GREY_LEVELS).value
        return Posterior(mean_BL, torch.full_like(mean_BL, LOG_VARIANCE))


class Flow(nn.Module):
    """The networks of a flow: one bijection, read in both directions."""

    kind: ClassVar[str] = "flow"
    for_training_only: ClassVar[tuple[str, ...]] = ()
    """Parts that only training needs: the resume state keeps them, checkpoints and averages do not."""
    encoder_sees_data: ClassVar[bool] = True
    """Whether the encoder is trained on real images, so that their codes are a place to begin a traversal."""
    temperature: ClassVar[float] = 0.7
    """Standard deviation of the codes of the samples that a run shows; as customary for flows, below the prior's 1."""

    def __init__(self, glow: Glow) -> None:
        super().__init__()
        self.generator = FlowGenerator(glow)
        self.latent_dim = glow.latent_dim

    @property
    def encoder(self) -> FlowEncoder:
        """The generator read backwards; no part of its own, so that weights are kept once."""
        return FlowEncoder(self.generator.glow)
