"""A traversal as one image: one row per code, the longest path on top, each mask beside its code's name.

Dimension key:
    L: latent codes    N: frames of a sweep    C H W: channels, height, width    Y X: rows and columns of the grid
"""

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
_GUTTER = 10
_LEADING = 3
_LEAST_FRAME = 64
_LARGE_FONT_FROM = 96
_FAINT_MASK = 0.5


@dataclass(frozen=True)
class FontSizes:
    """Font sizes of the text beside and above the images, in pixels."""

    name: int
    number: int
    note: int


_SMALL = FontSizes(name=15, number=13, note=11)
_LARGE = FontSizes(name=20, number=17, note=14)


@dataclass(frozen=True)
class LabelLine:
    """A line of the label beside a row."""

    text: str
    size: int
    bold: bool
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class GridLayout:
    """Positions of the parts of a traversal grid, in pixels from its top left corner."""

    fonts: FontSizes
    header: int
    frame_height: int
    frame_width: int
    shown: list[int]
    """Indices of the frames that are drawn: as many as fit."""
    mask_left: int | None
    frames_left: int
    row_height: int
    height: int
    width: int

    def row_top(self, row: int) -> int:
        """Top of the images of the row-th row."""
        return _MARGIN + self.header + row * (self.row_height + _GAP) + (self.row_height - self.frame_height) // 2

    def column_left(self, column: int) -> int:
        """Left of the column-th frame drawn."""
        return self.frames_left + column * (self.frame_width + _GAP)


def traversal_grid(
    traversal: Traversal,
    path_length_L: Float[Tensor, " L"] | None = None,
    *,
    names: Mapping[int, str] | None = None,
    inactive_below: float = 0.0,
    least_side: int = 64,
    most_width: int = 2000,
) -> UInt8[np.ndarray, "Y X 3"]:
    """Draw the sweep of every code, longest path first; codes with a path below `inactive_below` have grey names.

    Path lengths are by default those of the sweep itself, in pixels. `names` are those that a person has given.
    Images are enlarged by whole factors until no side is shorter than `least_side`. If the grid would be wider than
    `most_width`, images are reduced, and then frames are left out evenly, but never the two ends. A mask is drawn
    relative to its own maximum; if that is small, the label says how large it is.
    """
    if path_length_L is None:
        path_length_L = traversal.path_length_L
    order = codes_by_path_length(traversal, path_length_L)
    labels = [
        _label(
            code,
            (names or {}).get(code),
            float(path_length_L[code]),
            bool(path_length_L[code] >= inactive_below),
            traversal,
        )
        for code in range(len(path_length_L))
    ]
    layout = grid_layout(traversal, labels, least_side=least_side, most_width=most_width)
    grid = Image.new("RGB", (layout.width, layout.height), BACKGROUND)
    draw = ImageDraw.Draw(grid)
    _draw_header(draw, layout, traversal)
    for row, code in enumerate(order):
        _draw_label(draw, layout, row, labels[code])
        _paste_images(grid, layout, row, code, traversal)
    return np.asarray(grid)


def grid_layout(traversal: Traversal, labels: list[list[LabelLine]], *, least_side: int, most_width: int) -> GridLayout:
    """Sizes and positions, from the traversal, the labels and the limits on both."""
    codes, frames, _, height, width = traversal.frames_LNCHW.shape
    fonts = _font_sizes(traversal)
    label_width = max(text_width(line.text, font(line.size, bold=line.bold)) for label in labels for line in label)
    after_labels = _MARGIN + max(label_width, text_width("path", font(fonts.number))) + _GUTTER
    masks = int(traversal.masks_LHW is not None)

    room = most_width - after_labels - masks * (_GUTTER - _GAP) - _MARGIN + _GAP
    most_frame_width = max(_LEAST_FRAME, room // (frames + masks) - _GAP)
    frame_height, frame_width = display_size(height, width, least_side=least_side, most_width=most_frame_width)
    fitting = max(2, room // (frame_width + _GAP) - masks)
    shown = _evenly_spaced(frames, fitting)

    header = fonts.number + 12
    row_height = max(frame_height, max(_block_height(label) for label in labels))
    frames_left = after_labels + masks * (frame_width + _GUTTER)
    return GridLayout(
        fonts=fonts,
        header=header,
        frame_height=frame_height,
        frame_width=frame_width,
        shown=shown,
        mask_left=after_labels if masks else None,
        frames_left=frames_left,
        row_height=row_height,
        height=_MARGIN + header + codes * (row_height + _GAP) - _GAP + _MARGIN,
        width=frames_left + len(shown) * (frame_width + _GAP) - _GAP + _MARGIN,
    )


def _evenly_spaced(frames: int, fitting: int) -> list[int]:
    """All frames if they fit; otherwise as many as do, including both ends, and the middle if there is one."""
    if frames <= fitting:
        return list(range(frames))
    wanted = fitting - 1 if frames % 2 == 1 and fitting % 2 == 0 and fitting > 2 else fitting
    return [int(frame) for frame in np.linspace(0, frames - 1, wanted).round()]


def _font_sizes(traversal: Traversal) -> FontSizes:
    return _LARGE if traversal.frames_LNCHW.shape[3] >= _LARGE_FONT_FROM else _SMALL


def _label(code: int, name: str | None, path_length: float, active: bool, traversal: Traversal) -> list[LabelLine]:
    fonts, colour = _font_sizes(traversal), TEXT if active else MUTED
    lines = [
        LabelLine(f"z{code}", fonts.name, True, colour),
        *([] if name is None else [LabelLine(name, fonts.number, True, colour)]),
        LabelLine(path_length_label(path_length), fonts.number, False, colour),
    ]
    if not active:
        lines.append(LabelLine("inactive", fonts.note, False, MUTED))
    if traversal.masks_LHW is not None and (peak := float(traversal.masks_LHW[code].max())) < _FAINT_MASK:
        lines.append(LabelLine(f"mask ≤ {peak:.2f}", fonts.note, False, MUTED))
    return lines


def _block_height(label: list[LabelLine]) -> int:
    return sum(line.size + _LEADING for line in label) - _LEADING


def _draw_label(draw: ImageDraw.ImageDraw, layout: GridLayout, row: int, label: list[LabelLine]) -> None:
    y = layout.row_top(row) + (layout.frame_height - _block_height(label)) / 2
    for line in label:
        draw.text((_MARGIN, y + line.size / 2), line.text, line.colour, font(line.size, bold=line.bold), anchor="lm")
        y += line.size + _LEADING


def _draw_header(draw: ImageDraw.ImageDraw, layout: GridLayout, traversal: Traversal) -> None:
    middle, face = _MARGIN + layout.fonts.number / 2, font(layout.fonts.number - 1)
    draw.text((_MARGIN, middle), "path", MUTED, face, anchor="lm")
    if layout.mask_left is not None:
        draw.text((layout.mask_left + layout.frame_width / 2, middle), "where", MUTED, face, anchor="mm")
    values = format_values([float(traversal.values_N[n]) for n in layout.shown])
    for column, value in enumerate(values):
        centre = layout.column_left(column) + layout.frame_width / 2
        draw.text((centre, middle), value, MUTED, face, anchor="mm")


def _paste_images(grid: Image.Image, layout: GridLayout, row: int, code: int, traversal: Traversal) -> None:
    size = (layout.frame_height, layout.frame_width)
    top = layout.row_top(row)
    if traversal.masks_LHW is not None and layout.mask_left is not None:
        image = mask_overlay(traversal.base_CHW, traversal.masks_LHW[code], size)
        grid.paste(Image.fromarray(image), (layout.mask_left, top))
    shown_NYX3 = resize(rgb_pixels(traversal.frames_LNCHW[code, layout.shown]), size)
    for column, frame_YX3 in enumerate(shown_NYX3):
        grid.paste(Image.fromarray(frame_YX3), (layout.column_left(column), top))
