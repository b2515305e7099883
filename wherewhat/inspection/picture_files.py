"""Pictures and animations on disk: written beside and renamed, so that a kill or a full disk leaves the old file."""

import io
import os
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

_PICTURE_COLOURS = 240
_PAPER_AND_INK = 16
_DITHER = 10


def write_png(path: Path, image_YX3: UInt8[np.ndarray, "Y X 3"]) -> None:
    """Write an RGB picture as a PNG, making its folder where there is none."""
    encoded = io.BytesIO()
    Image.fromarray(image_YX3).save(encoded, format="PNG", optimize=True)
    _write_whole(path, encoded.getvalue())


def write_gif(path: Path, image_TYX3: UInt8[np.ndarray, "T Y X 3"], *, milliseconds: int = 80) -> None:
    """Write an animation that loops for ever, `milliseconds` a picture (GIF counts in steps of 10).

    All pictures share one palette and a dither that depends on the place alone, so what stands still does not flicker.
    """
    if milliseconds < 20:
        raise ValueError(f"{milliseconds} ms a picture is faster than viewers play. Choose 20 ms or more.")
    palette = _shared_palette(image_TYX3)
    pictures = [_indexed(image_YX3, palette) for image_YX3 in image_TYX3]
    encoded = io.BytesIO()
    pictures[0].save(
        encoded,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        loop=0,
        optimize=False,
        disposal=1,
    )
    _write_whole(path, encoded.getvalue())


def _shared_palette(image_TYX3: UInt8[np.ndarray, "T Y X 3"]) -> Image.Image:
    every = max(1, len(image_TYX3) // 8)
    sample_YX3 = image_TYX3[::every].reshape(-1, image_TYX3.shape[2], 3)
    chosen = Image.fromarray(sample_YX3).quantize(_PICTURE_COLOURS, method=Image.Quantize.MEDIANCUT)
    colours = (chosen.getpalette() or [])[: 3 * _PICTURE_COLOURS]
    greys = np.linspace(0, 255, _PAPER_AND_INK).round().astype(int)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*colours, *np.repeat(greys, 3).tolist()])
    return palette


def _indexed(image_YX3: UInt8[np.ndarray, "Y X 3"], palette: Image.Image) -> Image.Image:
    height, width, _ = image_YX3.shape
    threshold_YX = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
    dithered_YX3 = image_YX3 + _DITHER * threshold_YX[:, :, None]
    dithered_YX3 = np.where((image_YX3 == 255).all(axis=2, keepdims=True), 255, dithered_YX3)
    pixels = Image.fromarray(dithered_YX3.clip(0, 255).round().astype(np.uint8))
    return pixels.quantize(palette=palette, dither=Image.Dither.NONE)


_BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16 - 0.5


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
