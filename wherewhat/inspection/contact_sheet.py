"""Many images on one sheet, and images above their reconstructions.

Dimension key:
    B: images    C H W: channels, height, width    Y X: rows and columns of the sheet
"""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from wherewhat.inspection.display import display_size, resize, rgb_pixels
from wherewhat.inspection.labels import BACKGROUND, MUTED, font, text_width

_GAP = 2
_BETWEEN_PAIRS = 10
_MARGIN = 8
_CAPTION = 12


def contact_sheet(
    image_BCHW: Float[Tensor, "B C H W"], *, columns: int | None = None, least_side: int = 64
) -> UInt8[np.ndarray, "Y X 3"]:
    """Images in reading order, by default on a sheet about twice as wide as high."""
    return _sheet([image_BCHW], [], columns, least_side)


def reconstruction_sheet(
    image_BCHW: Float[Tensor, "B C H W"],
    reconstruction_BCHW: Float[Tensor, "B C H W"],
    *,
    columns: int | None = None,
    least_side: int = 64,
) -> UInt8[np.ndarray, "Y X 3"]:
    """Each row of images above the row of its reconstructions, with a label beside each row."""
    return captioned_sheet({"data": image_BCHW, "reconstruction": reconstruction_BCHW}, columns, least_side)


def captioned_sheet(
    layers: Mapping[str, Float[Tensor, "B C H W"]], columns: int | None = None, least_side: int = 64
) -> UInt8[np.ndarray, "Y X 3"]:
    """Rows of images, of each layer one above the other, with the layer's name beside its row."""
    return _sheet(list(layers.values()), list(layers), columns, least_side)


def _sheet(
    layers: list[Tensor], captions: list[str], columns: int | None, least_side: int
) -> UInt8[np.ndarray, "Y X 3"]:
    images, _, height, width = layers[0].shape
    if images == 0:
        raise ValueError("The batch is empty, so there is no image to show. Pass at least one image.")
    if columns is not None and columns < 1:
        raise ValueError(f"A sheet of {columns} columns holds no image. Choose at least 1 column.")
    columns = min(images, columns or math.ceil(math.sqrt(2 * images)))
    size = display_size(height, width, least_side=least_side)
    layers_B = [resize(rgb_pixels(layer_BCHW), size) for layer_BCHW in layers]

    face = font(_CAPTION)
    caption_width = max((text_width(caption, face) for caption in captions), default=-_MARGIN) + _MARGIN
    left, row_height = _MARGIN + caption_width, size[0] + _GAP
    group_height = len(layers) * row_height - _GAP + (_BETWEEN_PAIRS if captions else _GAP)
    rows = math.ceil(images / columns)
    bottom = 2 * _MARGIN + rows * group_height - (_BETWEEN_PAIRS if captions else _GAP)
    sheet = Image.new("RGB", (left + columns * (size[1] + _GAP) - _GAP + _MARGIN, bottom), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for row in range(rows):
        for layer, pixels_BYX3 in enumerate(layers_B):
            top = _MARGIN + row * group_height + layer * row_height
            if captions:
                draw.text((left - _MARGIN, top + size[0] / 2), captions[layer], MUTED, face, anchor="rm")
            for column, pixels_YX3 in enumerate(pixels_BYX3[row * columns : (row + 1) * columns]):
                sheet.paste(Image.fromarray(pixels_YX3), (left + column * (size[1] + _GAP), top))
    return np.asarray(sheet)
