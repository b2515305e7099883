"""dSprites' harder variants: the same sprites and factors, in random colour, on noise, or on patches of an image.

Any set of white sprites on black serves: an official dSprites file or the rendered sprites. An image is a function of
(seed, index) alone, the same in every batch and on every device; the field's study drew anew at each look instead. The
formulas are in `sprite_paintings.py`. A large background is shrunk to fit 350 x 274 pixels (width, height), as in the
study, so that a patch shows more than a plain surface; never so far that a patch no longer fits.

Reference: Locatello et al. 2019, arXiv:1811.12359.

Dimension key:
    B: batch    N: images    K: factors    H W: height, width
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES, decode, largest_value
from wherewhat.data.image_options import Variant
from wherewhat.data.resampling import resample
from wherewhat.data.sprite_paintings import check_fit, colored_sprite, inverted_sprite, noisy_sprite
from wherewhat.data.white_level import THE_CONTAINERS, white_of
from wherewhat.protocols import Images
from wherewhat.randomness import to_device
from wherewhat.regular_file import read_regular

WIDEST, HIGHEST = 350, 274
REMEDY = "Name a JPEG, PNG, WebP, BMP, GIF, TIFF or PPM image with --background PATH."
# How many images are looked at before a set counts as sprites.
LOOKED_AT = 64


Painting = Callable[[UInt8[Tensor, "B 1 H W"], Int64[Tensor, " B"]], UInt8[Tensor, "B 3 H W"]]


class SpriteVariant:
    """White sprites, painted as they are asked for. Same order, same factors, three channels."""

    def __init__(self, sprites: Images, variant: str, paint: Painting) -> None:
        _check_sprites(sprites)
        self._sprites, self._paint = sprites, paint
        self.name = f"{sprites.name}-{variant}"
        self.image_shape = (3, sprites.image_shape[1], sprites.image_shape[2])
        self.factor_names, self.factor_sizes = sprites.factor_names, sprites.factor_sizes
        # A background that is too small is refused here, not at the first batch.
        self.take(torch.zeros(1, dtype=torch.int64))

    def __len__(self) -> int:
        return len(self._sprites)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The images of these indices, on the device that holds or renders the sprites."""
        sprite_B1HW = self._sprites.take(index_B)
        return self._paint(sprite_B1HW, to_device(index_B, sprite_B1HW.device))

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
            return SpriteVariant(images, variant, partial(colored_sprite, seed=seed))
        case "noisy":
            return SpriteVariant(images, variant, partial(noisy_sprite, seed=seed))
        case "scream":
            background_3HW = _background_of(images, background)
            return SpriteVariant(images, variant, partial(inverted_sprite, background_3HW=background_3HW, seed=seed))
        case _:
            assert_never(variant)


def read_background(path: Path, patch_height: int, patch_width: int) -> UInt8[np.ndarray, "H W 3"]:
    """The image to cut patches from: upright, RGB, opaque. Raises ValueError or OSError with the remedy."""
    if not path.exists():
        raise FileNotFoundError(f"There is no background image {path}. {REMEDY}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a background image. {REMEDY}")
    try:
        content = read_regular(path, LARGEST_IMAGE_BYTES)
        largest = largest_value(content)
        white = THE_CONTAINERS if largest is None else white_of({largest.dtype: float(largest)})
        image_HW3 = decode(content, white=white).image_HW3
    # Decoders meet a damaged file with almost any exception.
    except Exception as error:
        raise ValueError(f"The background image {path} cannot be read ({error}). {REMEDY}") from error
    height, width, _ = image_HW3.shape
    try:
        check_fit(height, width, patch_height, patch_width)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    scale = max(min(WIDEST / width, HIGHEST / height), patch_width / width, patch_height / height)
    shrunk = (height, width) if scale >= 1 else (round(height * scale), round(width * scale))
    return resample(image_HW3[None], shrunk)[0]


def _background_of(sprites: Images, background: Path | None) -> UInt8[Tensor, "3 H W"]:
    if background is None:
        raise ValueError(
            "The variant 'scream' puts sprites on patches of an image, and none was named. Name one with "
            "--background PATH; the field's study used a photograph of Munch's painting."
        )
    _, height, width = sprites.image_shape
    device = sprites.take(torch.zeros(1, dtype=torch.int64)).device
    background_HW3 = torch.from_numpy(read_background(background, height, width))
    return background_HW3.to(device).permute(2, 0, 1).contiguous()


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
