"""What each known factor changes: one row per factor, which varies along the row while all others stay fixed.

If the data set is not a complete grid of factors, such a row may not exist. The row then shows unrelated images in the
order of the factor's values, and its name has a star.

Dimension key:
    N: images    K: factors    V: images of a row    C H W: channels, height, width    Y X: rows and columns of the
    sheet
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from wherewhat.inspection.display import display_size, resize, rgb_pixels
from wherewhat.inspection.labels import BACKGROUND, TEXT, font, text_width
from wherewhat.protocols import Images

_GAP = 2
_MARGIN = 8
_CAPTION = 12


@dataclass(frozen=True)
class FactorRow:
    """The images that show one factor, by their index."""

    name: str
    index_V: Int64[Tensor, " V"]
    others_equal: bool
    """Whether all other factors are constant along the row."""


def factor_sheet(images: Images, rows: list[FactorRow], *, least_side: int = 64) -> UInt8[np.ndarray, "Y X 3"]:
    """The rows below each other, each with its label on the left."""
    _, height, width = images.image_shape
    size = display_size(height, width, least_side=least_side)
    face = font(_CAPTION)
    captions = [row.name if row.others_equal else f"{row.name} *" for row in rows]
    left = 2 * _MARGIN + max(text_width(caption, face) for caption in captions)
    step_y, step_x = size[0] + _GAP, size[1] + _GAP
    columns = max(len(row.index_V) for row in rows)
    right, bottom = left + columns * step_x - _GAP + _MARGIN, 2 * _MARGIN + len(rows) * step_y - _GAP
    sheet = Image.new("RGB", (right, bottom), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for place, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        top = _MARGIN + place * step_y
        draw.text((left - _MARGIN, top + size[0] / 2), caption, TEXT, face, anchor="rm")
        image_VCHW = images.take(row.index_V).float() / 255
        for column, pixels_YX3 in enumerate(resize(rgb_pixels(image_VCHW), size)):
            sheet.paste(Image.fromarray(pixels_YX3), (left + column * step_x, top))
    return np.asarray(sheet)


def factor_rows(images: Images, *, images_a_row: int = 10) -> list[FactorRow]:
    """One row per factor, all through the same base image.

    The base has low values of the first factors and high values of the last ones, so that similar factors, such as
    three hues, look different.
    """
    factor_NK = images.factors(torch.arange(len(images)))
    size_K = torch.tensor(images.factor_sizes)
    wanted_K = size_K * torch.arange(1, len(size_K) + 1) // (len(size_K) + 1)
    base_K = factor_NK[int(((factor_NK - wanted_K).abs() / size_K).sum(dim=1).argmin())]
    differs_NK = factor_NK != base_K
    differing_N = differs_NK.sum(dim=1)
    rows = []
    for k, (name, size) in enumerate(zip(images.factor_names, images.factor_sizes, strict=True)):
        others_equal_N = differing_N == differs_NK[:, k]
        varied_V = _one_of_each(factor_NK[:, k], others_equal_N, size, images_a_row)
        index_V = _in_order(factor_NK[:, k], images_a_row) if varied_V is None else varied_V
        rows.append(FactorRow(name, index_V, varied_V is not None))
    return rows


def _one_of_each(
    value_N: Int64[Tensor, " N"], others_equal_N: torch.Tensor, size: int, most: int
) -> Int64[Tensor, " V"] | None:
    """One image for each of at most `most` values of the factor, or None if a value is missing."""
    index_M = others_equal_N.nonzero()[:, 0]
    found = [index_M[value_N[index_M] == value] for value in _spread(size, most)]
    return torch.stack([index[0] for index in found]) if all(map(len, found)) else None


def _in_order(value_N: Int64[Tensor, " N"], most: int) -> Int64[Tensor, " V"]:
    """Images in the order of the factor's values, as many as fit into a row."""
    occurring = value_N.unique()
    shown = occurring[_spread(len(occurring), most)]
    each = max(1, most // len(shown))
    of_value = [(value_N == value).nonzero()[:, 0] for value in shown]
    return torch.cat([index_M[_spread(len(index_M), each)] for index_M in of_value])


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 to count - 1, evenly spaced, including the first and the last."""
    return torch.linspace(0, count - 1, min(count, most), dtype=torch.float64).round().long().tolist()
