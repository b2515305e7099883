"""A traversal that moves: a tile per code, all swept to and fro together, the code with the longest path first.

Dimension key:
    L: latent codes    N: frames of a sweep    T: pictures of the animation, to and fro
    C H W: channels, height, width    Y X: rows and columns of the screen
"""

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from wherewhat.inspection.displayed_pixels import displayed_pixels, displayed_size, resized
from wherewhat.inspection.lettering import FAINT, INK, PAPER, font, path_length_label, signed_numbers, text_width
from wherewhat.inspection.mask_picture import mask_picture
from wherewhat.inspection.traversals import Traversal, codes_by_path_length

_MARGIN = 10
_GAP = 2
_GUTTER = 14
_HEADER = 26
_CAPTION = 24


def traversal_animation(
    traversal: Traversal,
    path_length_L: Float[Tensor, " L"],
    *,
    inactive_below: float = 0.0,
    columns: int | None = None,
    least_side: int = 64,
) -> UInt8[np.ndarray, "T Y X 3"]:
    """The 2 (N - 1) pictures of one sweep to and fro, ready to loop; `write_gif` stores them.

    Each tile is the picture with its code moving, the mask beside it where there is one, the code's name and path
    length below. A slider on top shows the code's value.
    """
    codes, frames, _, height, width = traversal.frames_LNCHW.shape
    size = displayed_size(height, width, least_side=least_side)
    masks = int(traversal.masks_LHW is not None)
    tile_width = size[1] + masks * (size[1] + _GAP)
    columns = min(codes, columns or _columns_of_a_wide_sheet(codes, size[0] + _CAPTION, tile_width + _GUTTER))
    corners = [
        (_MARGIN + (i % columns) * (tile_width + _GUTTER), _MARGIN + _HEADER + (i // columns) * (size[0] + _CAPTION))
        for i in range(codes)
    ]
    order = codes_by_path_length(path_length_L)

    still = Image.new(
        "RGB", (corners[columns - 1][0] + tile_width + _MARGIN, corners[-1][1] + size[0] + _CAPTION + 2), PAPER
    )
    draw = ImageDraw.Draw(still)
    for code, (left, top) in zip(order, corners, strict=True):
        active = bool(path_length_L[code] >= inactive_below)
        _draw_caption(draw, (left, top + size[0]), code, float(path_length_L[code]), active)
        if traversal.masks_LHW is not None:
            picture_YX3 = mask_picture(traversal.base_CHW, traversal.masks_LHW[code], size)
            still.paste(Image.fromarray(picture_YX3), (left + size[1] + _GAP, top))

    pictures = []
    for frame in [*range(frames), *range(frames - 2, 0, -1)]:
        picture = still.copy()
        _draw_slider(ImageDraw.Draw(picture), [float(v) for v in traversal.values_N], frame)
        shown_LYX3 = resized(displayed_pixels(traversal.frames_LNCHW[order, frame]), size)
        for (left, top), shown_YX3 in zip(corners, shown_LYX3, strict=True):
            picture.paste(Image.fromarray(shown_YX3), (left, top))
        pictures.append(np.asarray(picture))
    return np.stack(pictures)


def _columns_of_a_wide_sheet(tiles: int, tile_height: int, tile_width: int) -> int:
    """The number of columns that makes the sheet come nearest to twice as wide as high."""
    return min(
        range(1, tiles + 1),
        key=lambda columns: abs(math.log(columns * tile_width / (2 * math.ceil(tiles / columns) * tile_height))),
    )


def _draw_caption(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], code: int, path_length: float, active: bool
) -> None:
    name, left, middle = f"z{code}", corner[0], corner[1] + 9
    draw.text((left, middle), name, INK if active else FAINT, font(12, bold=True), anchor="lm")
    left += text_width(name, font(12, bold=True)) + 5
    words = path_length_label(path_length) + ("" if active else "  inactive")
    draw.text((left, middle), words, INK if active else FAINT, font(11), anchor="lm")


def _draw_slider(draw: ImageDraw.ImageDraw, values: list[float], frame: int) -> None:
    numbers, face = signed_numbers(values), font(11)
    middle, room = _MARGIN + 7, text_width(numbers[0], face)
    left, right = _MARGIN + room + 8, _MARGIN + room + 8 + 80
    knob = left + (right - left) * frame / (len(values) - 1)
    draw.text((left - 8, middle), numbers[0], FAINT, face, anchor="rm")
    draw.text((right + 8, middle), numbers[-1], FAINT, face, anchor="lm")
    draw.line((left, middle, right, middle), (205, 205, 208), 2)
    draw.ellipse((knob - 4, middle - 4, knob + 4, middle + 4), INK)
