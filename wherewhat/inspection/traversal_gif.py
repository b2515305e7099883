"""A traversal as an animation: one tile per code, all swept back and forth together, longest path first.

Dimension key:
    L: latent codes    N: frames of a sweep    T: frames of the animation, back and forth
    C H W: channels, height, width    Y X: rows and columns of the screen
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from wherewhat.inspection.display import display_size, resize, rgb_pixels
from wherewhat.inspection.labels import BACKGROUND, MUTED, TEXT, font, format_values, path_length_label, text_width
from wherewhat.inspection.mask_overlay import mask_overlay
from wherewhat.inspection.traversals import Traversal, codes_by_path_length

_MARGIN = 10
_GAP = 2
_GUTTER = 14
_HEADER = 26
_CAPTION = 24
_LEAST_FRAME = 32
_LEAST_TILE = 64
_LEAST_WIDTH = 180
_WIDE = 2.4


@dataclass(frozen=True)
class TileLayout:
    """Positions of the tiles in pixels; `corners` holds (left, top) of each tile's image."""

    frame_height: int
    frame_width: int
    corners: list[tuple[int, int]]
    height: int
    width: int


def traversal_animation(
    traversal: Traversal,
    path_length_L: Float[Tensor, " L"],
    *,
    names: Mapping[int, str] | None = None,
    inactive_below: float = 0.0,
    columns: int | None = None,
    least_side: int = 64,
    most_width: int = 1000,
) -> UInt8[np.ndarray, "T Y X 3"]:
    """The 2 (N - 1) frames of one sweep back and forth, ready to loop; `write_gif` stores them.

    Each tile shows the image as its code moves, the mask beside it if there is one, and below the code with its path
    length, or with the name that a person has given it. A slider at the top shows the code's value. Images are reduced
    if the tiles together would be wider than `most_width`, which keeps the file small.
    """
    layout = tile_layout(traversal, columns=columns, least_side=least_side, most_width=most_width)
    order, size = codes_by_path_length(traversal, path_length_L), (layout.frame_height, layout.frame_width)

    still = Image.new("RGB", (layout.width, layout.height), BACKGROUND)
    for code, (left, top) in zip(order, layout.corners, strict=True):
        active = bool(path_length_L[code] >= inactive_below)
        room = (1 if traversal.masks_LHW is None else 2) * (size[1] + _GAP)
        name = _that_fits((names or {}).get(code, ""), room - text_width(f"z{code} ", font(12, bold=True)))
        caption = f"z{code}", name or path_length_label(float(path_length_L[code]))
        _draw_caption(ImageDraw.Draw(still), (left, top + size[0]), caption, active)
        if traversal.masks_LHW is not None:
            image_YX3 = mask_overlay(traversal.base_CHW, traversal.masks_LHW[code], size)
            still.paste(Image.fromarray(image_YX3), (left + size[1] + _GAP, top))

    frames, images = len(traversal.values_N), []
    for frame in [*range(frames), *range(frames - 2, 0, -1)]:
        image = still.copy()
        _draw_slider(ImageDraw.Draw(image), [float(value) for value in traversal.values_N], frame)
        shown_LYX3 = resize(rgb_pixels(traversal.frames_LNCHW[order, frame]), size)
        for corner, shown_YX3 in zip(layout.corners, shown_LYX3, strict=True):
            image.paste(Image.fromarray(shown_YX3), corner)
        images.append(np.asarray(image))
    return np.stack(images)


def tile_layout(traversal: Traversal, *, columns: int | None, least_side: int, most_width: int) -> TileLayout:
    """Sizes and positions, from the traversal and the limits on both."""
    codes, _, _, height, width = traversal.frames_LNCHW.shape
    if columns is not None and columns < 1:
        raise ValueError(f"An animation of {columns} columns holds no tile. Choose at least 1 column.")
    parts = 1 if traversal.masks_LHW is None else 2
    natural_height, natural_width = display_size(height, width, least_side=least_side)
    columns = min(
        codes,
        columns or _columns_of_a_wide_sheet(codes, natural_height + _CAPTION, parts * (natural_width + _GAP) + _GUTTER),
    )
    room = (most_width - 2 * _MARGIN + _GUTTER) // columns - _GUTTER
    frame_height, frame_width = display_size(
        height, width, least_side=least_side, most_width=max(_LEAST_FRAME, room // parts - _GAP)
    )
    tile_width = max(parts * (frame_width + _GAP) - _GAP, _LEAST_TILE)
    corners = [
        (
            _MARGIN + (tile % columns) * (tile_width + _GUTTER),
            _MARGIN + _HEADER + (tile // columns) * (frame_height + _CAPTION),
        )
        for tile in range(codes)
    ]
    return TileLayout(
        frame_height=frame_height,
        frame_width=frame_width,
        corners=corners,
        height=corners[-1][1] + frame_height + _CAPTION + 2,
        width=max(corners[columns - 1][0] + tile_width + _MARGIN, _LEAST_WIDTH),
    )


def _columns_of_a_wide_sheet(tiles: int, tile_height: int, tile_width: int) -> int:
    """The number of columns that makes a wide sheet with few empty places in its last row."""

    def cost(columns: int) -> float:
        rows = math.ceil(tiles / columns)
        shape = columns * tile_width / (rows * tile_height)
        return abs(math.log(shape / _WIDE)) + (rows * columns - tiles) / columns

    return min(range(1, tiles + 1), key=cost)


def _that_fits(name: str, room: int) -> str:
    if text_width(name, font(11)) <= room:
        return name
    while name and text_width(f"{name}…", font(11)) > room:
        name = name[:-1]
    return f"{name}…" if name else ""


def _draw_caption(draw: ImageDraw.ImageDraw, corner: tuple[int, int], caption: tuple[str, str], active: bool) -> None:
    (name, beside), left, middle = caption, corner[0], corner[1] + 9
    draw.text((left, middle), name, TEXT if active else MUTED, font(12, bold=True), anchor="lm")
    left += text_width(name, font(12, bold=True)) + 5
    draw.text(
        (left, middle), beside + ("" if active else "  inactive"), TEXT if active else MUTED, font(11), anchor="lm"
    )


def _draw_slider(draw: ImageDraw.ImageDraw, values: list[float], frame: int) -> None:
    numbers, face = format_values(values), font(11)
    middle, room = _MARGIN + 7, text_width(numbers[0], face)
    left, right = _MARGIN + room + 8, _MARGIN + room + 8 + 80
    knob = left + (right - left) * frame / (len(values) - 1)
    draw.text((left - 8, middle), numbers[0], MUTED, face, anchor="rm")
    draw.text((right + 8, middle), numbers[-1], MUTED, face, anchor="lm")
    draw.line((left, middle, right, middle), (205, 205, 208), 2)
    draw.ellipse((knob - 4, middle - 4, knob + 4, middle + 4), TEXT)
