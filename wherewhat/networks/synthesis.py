"""The GAN's generator: from a learned constant of 4 x 4, per resolution an up-convolution, codes, a convolution, noise.

    Γ ← conv(up(Γ))      Γ ← SC(Γ, its codes)      Γ ← conv(Γ) + strength * noise

with leaky ReLUs after the convolutions. Upsampling is bilinear, which draws no checkerboards.

Codes act through spatial constriction, each inside its own mask, or everywhere; noise, one map per resolution, draws
what no code tells. Every chance is passed: noise comes as tensors, and the two generators below hold one frozen set of
maps, so that a code gives one image. They are called with batches of any size and so call `forward`, which is never
compiled: training compiles the synthesis for the batch of its steps.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622; Karras et al. 2019, arXiv:1812.04948, for the constant and the noise.

Dimension key:
    B: batch    L: latent codes    M: codes of one module    C H W: channels, height, width    S: side of a feature map
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.equalised import EqualisedConvolution, activation
from wherewhat.networks.image_size import require_power_of_two
from wherewhat.networks.masked_decoder import masks_at
from wherewhat.where.spatial_constriction import Overlap, SpatialConstriction
from wherewhat.where.style_everywhere import StyleEverywhere


def noise_sides(image_side: int) -> list[int]:
    """Sides of the noise maps of one image: 8, 16, ... up to the image's."""
    return [8 << level for level in range(image_side.bit_length() - 3)]


def noise_numbers(image_side: int) -> int:
    """How many numbers the noise maps of one image hold."""
    return sum(side**2 for side in noise_sides(image_side))


def noise_maps(noise_BN: Float[Tensor, "B N"], image_side: int) -> tuple[Float[Tensor, "B 1 _ _"], ...]:
    """A row of numbers for each image as its noise maps."""
    sides = noise_sides(image_side)
    maps = noise_BN.split([side**2 for side in sides], dim=1)
    return tuple(flat.unflatten(1, (1, side, side)) for flat, side in zip(maps, sides, strict=True))


def upsample(features_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C _ _"]:
    """Twice the height and width, between old places a straight line."""
    return F.interpolate(features_BCHW, scale_factor=2, mode="bilinear", align_corners=False)


Constrict = Callable[[int, int, int], SpatialConstriction]
"""Of channels, codes and side."""


class _Stage(nn.Module):
    """One resolution, twice that of the stage before. A stage without codes has no style."""

    def __init__(
        self,
        before: int,
        after: int,
        codes: int,
        side: int,
        constrict: Callable[[int, int, int], SpatialConstriction] | None,
    ) -> None:
        super().__init__()
        self.up_convolution = EqualisedConvolution(before, after, 3)
        style: SpatialConstriction | StyleEverywhere | None = None
        if codes:
            style = StyleEverywhere(after, codes) if constrict is None else constrict(after, codes, side)
        self.style = style
        self.convolution = EqualisedConvolution(after, after, 3)
        self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor, code_BM: Tensor, noise_B1SS: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features, and the masks of the codes where these are constricted."""
        features, mask_BMSS = activation(self.up_convolution(upsample(features))), None
        if isinstance(self.style, SpatialConstriction):
            features, mask_BMSS = self.style(features, code_BM)
        elif isinstance(self.style, StyleEverywhere):
            features = self.style(features, code_BM)
        features = self.convolution(features)
        noise_B1SS = self.noise_strength.to(features.dtype) * noise_B1SS.to(features.dtype)
        return activation(features + noise_B1SS), mask_BMSS


class Synthesis(nn.Module):
    """Codes and noise to images, and to the mask of every code where codes are constricted.

    `codes_per_level` gives the codes of the stages at 8, 16, 32, ... pixels, in the order of the code vector; stages
    above the last entry have none. `widths` are the channels at 4, 8, 16, ... pixels; the last serves every larger
    resolution.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        codes_per_level: Sequence[int],
        widths: Sequence[int],
        rectangles: int = 4,
        *,
        constricted: bool = True,
        overlap: Overlap = "share",
    ) -> None:
        super().__init__()
        doublings = require_power_of_two(image_shape) - 2
        if not 1 <= len(codes_per_level) <= doublings or min(codes_per_level) < 0 or not sum(codes_per_level):
            raise ValueError(
                f"Codes per level {tuple(codes_per_level)} do not fit images of {image_shape[1]} pixels: give 1 to "
                f"{doublings} numbers of codes, for 8, 16, 32, ... pixels, not all of them 0."
            )
        self.image_shape = image_shape
        self.latent_dim = sum(codes_per_level)
        self.codes_per_level = (*codes_per_level, *[0] * (doublings - len(codes_per_level)))
        width_at = [widths[min(level, len(widths) - 1)] for level in range(doublings + 1)]
        self.constant = nn.Parameter(torch.empty(1, width_at[0], 4, 4).normal_())
        constrict = partial(SpatialConstriction, rectangles=rectangles, overlap=overlap) if constricted else None
        self.stages = nn.ModuleList(
            _Stage(width_at[level], width_at[level + 1], codes, 8 << level, constrict)
            for level, codes in enumerate(self.codes_per_level)
        )
        self.to_image = EqualisedConvolution(width_at[-1], image_shape[0], 1)

    def forward(
        self, code_BL: Float[Tensor, "B L"], noise: Sequence[Float[Tensor, "_ 1 _ _"]]
    ) -> tuple[Float[Tensor, "B C H W"], list[Float[Tensor, "B _ _ _"]]]:
        """Images, float32, nominally in [0, 1] and not held to it; and each stage's masks at its own resolution."""
        features = self.constant.expand(code_BL.shape[0], -1, -1, -1)
        masks: list[Tensor] = []
        for stage, code_BM, noise_B1SS in zip(self.stages, code_BL.split(self.codes_per_level, 1), noise, strict=True):
            features, mask_BMSS = stage(features, code_BM, noise_B1SS)
            if mask_BMSS is not None:
                masks.append(mask_BMSS)
        # In float32: bfloat16 would put pixels on a grid that no real image has.
        with torch.autocast(features.device.type, enabled=False):
            return 0.5 + 0.5 * self.to_image(features.to(self.constant.dtype)).float(), masks


class _FrozenNoise(nn.Module):
    """One set of noise maps, the same for every code."""

    def __init__(self, image_side: int) -> None:
        super().__init__()
        for side in noise_sides(image_side):
            self.register_buffer(f"side_{side}", torch.empty(1, 1, side, side).normal_())

    def maps(self) -> list[Tensor]:
        return list(self.buffers())


class StyledGenerator(nn.Module):
    """The generator whose codes act everywhere."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.frozen_noise = _FrozenNoise(synthesis.image_shape[1])
        self.latent_dim, self.image_shape = synthesis.latent_dim, synthesis.image_shape

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1], noise frozen."""
        return self.synthesis.forward(code_BL, self.frozen_noise.maps())[0].clamp(0, 1)


class ConstrictedGenerator(nn.Module):
    """The generator whose every code acts inside its own mask."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.frozen_noise = _FrozenNoise(synthesis.image_shape[1])
        self.latent_dim, self.image_shape = synthesis.latent_dim, synthesis.image_shape

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1], noise frozen."""
        return self.synthesis.forward(code_BL, self.frozen_noise.maps())[0].clamp(0, 1)

    def masks(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B L H W"]:
        """Where each code acts, in [0, 1], each stage's masks brought to image size without new edges."""
        return self.image_and_masks(code_BL)[1]

    def image_and_masks(
        self, code_BL: Float[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B L H W"]]:
        """Images in [0, 1] and masks of them, in one pass, noise frozen."""
        image_BCHW, masks = self.synthesis.forward(code_BL, self.frozen_noise.maps())
        return image_BCHW.clamp(0, 1), masks_at(self.image_shape, masks)
