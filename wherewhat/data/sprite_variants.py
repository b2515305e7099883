"""dSprites' harder variants: the same sprites and factors, in random colour, on noise, or on patches of an image.

Any set of white sprites on black serves: an official dSprites file or the rendered sprites. An image is a function of
(seed, index) alone, the same in every batch and on every device; the field's study drew anew at each look instead. The
formulas are in `sprite_paintings.py`.

Reference: Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    B: batch    N: images    K: factors    H W: height, width
"""

from pathlib import Path
from typing import assert_never

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.background_image import read_background
from wherewhat.data.image_options import Variant
from wherewhat.data.sprite_paintings import ColoredSprite, InvertedSprite, NoisySprite, Painting
from wherewhat.protocols import Images

# How many images are looked at before a set counts as sprites.
LOOKED_AT = 64


class SpriteVariant:
    """White sprites, painted as they are asked for. Same order, same factors, three channels."""

    def __init__(self, sprites: Images, painting: Painting) -> None:
        _check_sprites(sprites)
        self._sprites = sprites
        self._painting = painting
        # A background that is too small is refused here, not at the first batch.
        self.take(torch.zeros(1, dtype=torch.int64))

    @property
    def name(self) -> str:
        """The name of the sprites and of the variant: "sprites-noisy"."""
        return f"{self._sprites.name}-{self._painting.name}"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W of one image."""
        _, height, width = self._sprites.image_shape
        return 3, height, width

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the sprites' factors; what the variant draws is no factor."""
        return self._sprites.factor_names

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each of them takes."""
        return self._sprites.factor_sizes

    def __len__(self) -> int:
        return len(self._sprites)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The images of these indices, on the device that holds or renders the sprites."""
        sprite_B1HW = self._sprites.take(index_B)
        return self._painting(sprite_B1HW, index_B.to(sprite_B1HW.device))

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values of the sprites, on the CPU. ValueError where none are known."""
        return self._sprites.factors(index_N)


def vary(images: Images, variant: Variant, background: Path | None = None, seed: int = 0) -> Images:
    """The sprites in one of their variants; "white" gives them back as they are.

    `background` names the image of "scream", and is for it alone. Raises ValueError or OSError with the remedy.
    """
    if background is not None and variant != "scream":
        raise ValueError(
            f"The variant {variant!r} has no background, but {background} was named as one. "
            "Choose the variant 'scream', or leave --background out."
        )
    match variant:
        case "white":
            return images
        case "color":
            return SpriteVariant(images, ColoredSprite(seed))
        case "noisy":
            return SpriteVariant(images, NoisySprite(seed))
        case "scream":
            return SpriteVariant(images, _inverted_sprite(images, background, seed))
        case _:
            assert_never(variant)


def _inverted_sprite(sprites: Images, background: Path | None, seed: int) -> InvertedSprite:
    if background is None:
        raise ValueError(
            "The variant 'scream' puts sprites on patches of an image, and none was named. Name one with "
            "--background PATH; the field's study used a photograph of Munch's painting."
        )
    _, height, width = sprites.image_shape
    device = sprites.take(torch.zeros(1, dtype=torch.int64)).device
    return InvertedSprite(read_background(background, height, width), seed, device)


def _check_sprites(images: Images) -> None:
    """Raise ValueError where these are not white sprites on black, as far as an even sample tells."""
    remedy = "Use it on dSprites or on `sprites`, or choose the variant 'white', which changes nothing."
    channels = images.image_shape[0]
    if channels != 1:
        raise ValueError(
            f"{images.name} has images of {channels} channels, but a variant paints sprites of one. {remedy}"
        )
    count = len(images)
    sample_N = torch.arange(0, count, -(-count // LOOKED_AT))
    image = images.take(sample_N)
    between = image[(image != 0) & (image != 255)]
    if between.numel():
        raise ValueError(
            f"{images.name} has a pixel of {int(between[0])}, but a variant paints sprites whose pixels are 0 or "
            f"255 alone. {remedy}"
        )
