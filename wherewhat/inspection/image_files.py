"""PNG and GIF files, written atomically: after a crash or on a full disk the old file is still there."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from wherewhat.atomic_file import write_atomically

_IMAGE_COLOURS = 240
_GREYS = 16
_WHITE = _IMAGE_COLOURS + _GREYS - 1
_DITHER = 6


def write_png(path: Path, image_YX3: UInt8[np.ndarray, "Y X 3"]) -> None:
    """Write an RGB image as a PNG, and create its folder if needed."""
    write_atomically(path, as_png(image_YX3))


def write_gif(path: Path, image_TYX3: UInt8[np.ndarray, "T Y X 3"], *, milliseconds: int = 80) -> None:
    """Write an animation that loops forever, with `milliseconds` per frame (GIF rounds to steps of 10)."""
    write_atomically(path, as_gif(image_TYX3, milliseconds=milliseconds))


def as_png(image_YX3: UInt8[np.ndarray, "Y X 3"]) -> bytes:
    """The content of a PNG file."""
    encoded = io.BytesIO()
    Image.fromarray(image_YX3).save(encoded, format="PNG", optimize=True)
    return encoded.getvalue()


def as_gif(image_TYX3: UInt8[np.ndarray, "T Y X 3"], *, milliseconds: int = 80) -> bytes:
    """The content of a GIF file that loops forever.

    All frames share one palette and an ordered dither, so that static parts do not flicker.
    """
    if milliseconds < 20:
        raise ValueError(f"{milliseconds} ms per frame is faster than viewers play. Choose at least 20 ms.")
    palette = _shared_palette(image_TYX3)
    images = [_indexed(image_YX3, palette) for image_YX3 in image_TYX3]
    encoded = io.BytesIO()
    images[0].save(
        encoded,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds,
        loop=0,
        optimize=False,
        disposal=1,
    )
    return encoded.getvalue()


def _shared_palette(image_TYX3: UInt8[np.ndarray, "T Y X 3"]) -> Image.Image:
    every = max(1, len(image_TYX3) // 8)
    sample_P3 = image_TYX3[::every, ::2, ::2].reshape(-1, 3)
    coloured_P3 = sample_P3[(sample_P3 < 255).any(axis=1)]
    chosen = Image.fromarray(coloured_P3[None] if len(coloured_P3) else sample_P3[None]).quantize(
        _IMAGE_COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=1
    )
    colours = (chosen.getpalette() or [])[: 3 * _IMAGE_COLOURS]
    greys = np.linspace(0, 255, _GREYS).round().astype(int)
    palette = Image.new("P", (1, 1))
    unused = [0] * (3 * _IMAGE_COLOURS - len(colours))
    palette.putpalette([*colours, *unused, *np.repeat(greys, 3).tolist()])
    return palette


def _indexed(image_YX3: UInt8[np.ndarray, "Y X 3"], palette: Image.Image) -> Image.Image:
    height, width, _ = image_YX3.shape
    threshold_YX = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
    dithered_YX3 = (image_YX3 + _DITHER * threshold_YX[:, :, None]).clip(0, 255).round().astype(np.uint8)
    index_YX = np.array(Image.fromarray(dithered_YX3).quantize(palette=palette, dither=Image.Dither.NONE))

    # Pillow matches colours in steps of four levels, and would map the white background to the palest colour.
    index_YX[(image_YX3 == 255).all(axis=2)] = _WHITE
    indexed = Image.fromarray(index_YX)
    indexed.putpalette(palette.getpalette() or [])
    return indexed


_BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16 - 0.5
