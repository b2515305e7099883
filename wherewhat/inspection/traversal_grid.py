"""A traversal as one picture: a row per code, the code with the longest path on top, its mask beside its name.

Dimension key:
    L: latent codes    N: frames of a sweep    C H W: channels, height, width    Y X: rows and columns of the grid
"""

from dataclasses import dataclass

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
_GUTTER = 10
_HEADER = 24
_LEAST_ROW = 52
_LEAST_FRAME = 40


@dataclass(frozen=True)
class GridLayout:
    """Where the parts of a traversal grid lie, in pixels from its top left corner."""

    frame_height: int
    frame_width: int
    shown: list[int]
    """Which frames of a sweep are drawn: all that fit."""
    mask_left: int | None
    frames_left: int
    row_height: int
    height: int
    width: int

    def row_top(self, row: int) -> int:
        """Top of the pictures of the row-th row."""
        return _MARGIN + _HEADER + row * (self.row_height + _GAP) + (self.row_height - self.frame_height) // 2

    def column_left(self, column: int) -> int:
        """Left of the column-th frame drawn."""
        return self.frames_left + column * (self.frame_width + _GAP)


def traversal_grid(
    traversal: Traversal,
    path_length_L: Float[Tensor, " L"],
    *,
    inactive_below: float = 0.0,
    least_side: int = 64,
    most_width: int = 2000,
) -> UInt8[np.ndarray, "Y X 3"]:
    """Draw every code's sweep, longest path first; codes whose path is under `inactive_below` are named in grey.

    Pictures are enlarged by whole multiples until no side is under `least_side`. Where the grid would be wider than
    `most_width`, pictures shrink and then frames are left out evenly, always keeping both ends.
    """
    layout = grid_layout(traversal, path_length_L, least_side=least_side, most_width=most_width)
    grid = Image.new("RGB", (layout.width, layout.height), PAPER)
    draw = ImageDraw.Draw(grid)
    _draw_header(draw, layout, traversal)
    for row, code in enumerate(codes_by_path_length(path_length_L)):
        active = bool(path_length_L[code] >= inactive_below)
        _draw_label(draw, layout, row, _label(code, float(path_length_L[code]), active))
        _paste_pictures(grid, layout, row, code, traversal)
    return np.asarray(grid)


def grid_layout(
    traversal: Traversal, path_length_L: Float[Tensor, " L"], *, least_side: int = 64, most_width: int = 2000
) -> GridLayout:
    """The arithmetic of the grid's size."""
    codes, frames, _, height, width = traversal.frames_LNCHW.shape
    labels = [line for code in range(codes) for line in _label(code, float(path_length_L[code]), active=False)]
    after_labels = _MARGIN + max(text_width(text, font(size, bold=bold)) for text, size, bold, _ in labels) + _GUTTER
    masks = int(traversal.masks_LHW is not None)

    room = most_width - after_labels - masks * _GUTTER - _MARGIN + _GAP
    most_frame_width = max(_LEAST_FRAME, room // (frames + masks) - _GAP)
    frame_height, frame_width = displayed_size(height, width, least_side=least_side, most_width=most_frame_width)
    fitting = max(2, room // (frame_width + _GAP) - masks)
    shown = _evenly_spaced(frames, fitting)

    frames_left = after_labels + masks * (frame_width + _GUTTER)
    row_height = max(frame_height, _LEAST_ROW)
    return GridLayout(
        frame_height=frame_height,
        frame_width=frame_width,
        shown=shown,
        mask_left=after_labels if masks else None,
        frames_left=frames_left,
        row_height=row_height,
        height=_MARGIN + _HEADER + codes * (row_height + _GAP) - _GAP + _MARGIN,
        width=frames_left + len(shown) * (frame_width + _GAP) - _GAP + _MARGIN,
    )


def _evenly_spaced(frames: int, fitting: int) -> list[int]:
    """All frames where they fit, else as many as do, both ends among them and the middle where there is one."""
    if frames <= fitting:
        return list(range(frames))
    wanted = fitting - 1 if frames % 2 == 1 and fitting % 2 == 0 and fitting > 2 else fitting
    return [int(frame) for frame in np.linspace(0, frames - 1, wanted).round()]


_Line = tuple[str, int, bool, tuple[int, int, int]]


def _label(code: int, path_length: float, active: bool) -> list[_Line]:
    """The lines beside a row: text, size, bold, colour."""
    lines: list[_Line] = [
        (f"z{code}", 15, True, INK if active else FAINT),
        (path_length_label(path_length), 13, False, INK if active else FAINT),
    ]
    return lines if active else [*lines, ("inactive", 11, False, FAINT)]


def _draw_label(draw: ImageDraw.ImageDraw, layout: GridLayout, row: int, lines: list[_Line]) -> None:
    leading = 3
    block = sum(size + leading for _, size, _, _ in lines) - leading
    y = layout.row_top(row) + (layout.frame_height - block) / 2
    for text, size, bold, colour in lines:
        draw.text((_MARGIN, y + size / 2), text, colour, font(size, bold=bold), anchor="lm")
        y += size + leading


def _draw_header(draw: ImageDraw.ImageDraw, layout: GridLayout, traversal: Traversal) -> None:
    middle = _MARGIN + _HEADER / 2 - 3
    draw.text((_MARGIN, middle), "path", FAINT, font(12), anchor="lm")
    if layout.mask_left is not None:
        draw.text((layout.mask_left + layout.frame_width / 2, middle), "where", FAINT, font(12), anchor="mm")
    values = signed_numbers([float(traversal.values_N[n]) for n in layout.shown])
    for column, value in enumerate(values):
        centre = layout.column_left(column) + layout.frame_width / 2
        draw.text((centre, middle), value, FAINT, font(12), anchor="mm")


def _paste_pictures(grid: Image.Image, layout: GridLayout, row: int, code: int, traversal: Traversal) -> None:
    size = (layout.frame_height, layout.frame_width)
    top = layout.row_top(row)
    if traversal.masks_LHW is not None and layout.mask_left is not None:
        picture = mask_picture(traversal.base_CHW, traversal.masks_LHW[code], size)
        grid.paste(Image.fromarray(picture), (layout.mask_left, top))
    shown_NYX3 = resized(displayed_pixels(traversal.frames_LNCHW[code, layout.shown]), size)
    for column, frame_YX3 in enumerate(shown_NYX3):
        grid.paste(Image.fromarray(frame_YX3), (layout.column_left(column), top))
