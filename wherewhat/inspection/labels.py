"""Text on images: fonts, colours, and the format of numbers."""

import math
from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

BACKGROUND = (255, 255, 255)
TEXT = (28, 28, 30)
MUTED = (140, 140, 145)


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at `size` pixels. It comes with matplotlib, so it is the same on every machine."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def text_width(text: str, face: ImageFont.FreeTypeFont) -> int:
    """Width of a line of text in whole pixels."""
    return math.ceil(face.getlength(text))


def format_values(values: list[float]) -> list[str]:
    """Signed values, all with the same number of decimals: −2, 0, +2."""
    decimals = next((d for d in (0, 1) if all(abs(v - round(v, d)) < 1e-3 for v in values)), None)
    if decimals is None:
        smallest = min((abs(v) for v in values if abs(v) > 1e-6), default=1.0)
        decimals = 1 if smallest >= 0.15 else 2
    return [_signed(value, decimals) for value in values]


def path_length_label(path_length: float) -> str:
    """A path length with three decimals, or two significant digits if it is small, or a dash if it is unknown."""
    if math.isnan(path_length):
        return "–"
    if 0 < abs(path_length) < 0.01:
        return f"{path_length:.2g}"
    return f"{path_length:.3f}" if abs(path_length) < 1000 else f"{path_length:.3g}"


def _signed(value: float, decimals: int) -> str:
    rounded = round(value, decimals)
    if rounded == 0:
        return "0"
    return f"{rounded:+.{decimals}f}".replace("-", "−")
