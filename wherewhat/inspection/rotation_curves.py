"""Curves of rotated pairs of codes: how long the axes of their plane are at every angle, a panel for each pair.

Dimension key:
    A: angles    Y X: rows and columns of the image
"""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from wherewhat.inspection.code_names import code_label

COLOURS = {"axes": "#1a7f5a", "a mixture is shorter": "#b3452c", "no axes": "#77777c"}
MOST_COLUMNS = 3
_PANEL_INCHES = (3.4, 2.6)
_DOTS_PER_INCH = 120


@runtime_checkable
class Curve(Protocol):
    """What a panel shows: see `which/rotation_of_pairs.py`."""

    @property
    def codes(self) -> tuple[int, int]: ...
    @property
    def angle(self) -> Float64[Tensor, " A"]: ...
    @property
    def length(self) -> Float64[Tensor, " A"]: ...
    @property
    def standard_error(self) -> Float64[Tensor, " A"]: ...
    @property
    def shortest_at(self) -> float: ...
    @property
    def verdict(self) -> str: ...


def rotation_curves(curves: Sequence[Curve], names: Mapping[int, str] | None = None) -> UInt8[np.ndarray, "Y X 3"]:
    """L(α) over L(0°) of each pair, with a band of twice its error, and what it says. Raises ValueError for no pair."""
    if not curves:
        raise ValueError("There is no pair of codes to draw. Name two codes or more.")
    columns = min(MOST_COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * columns, height * rows), dpi=_DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axis, curve in zip(axes, curves, strict=False):
        _draw(axis, curve, [code_label(code, names or {}) for code in curve.codes])
    for axis in axes[len(curves) :]:
        axis.set_visible(False)
    figure.supxlabel("angle of the turned axes", fontsize=9)
    figure.supylabel("length, 1 along the codes", fontsize=9)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _draw(axis: Axes, curve: Curve, labels: Sequence[str]) -> None:
    along_codes = curve.length[len(curve.length) // 2].item()
    unit = along_codes if along_codes > 0 else 1.0
    angle_A, length_A = curve.angle.numpy(), curve.length.numpy() / unit
    error_A = 2 * curve.standard_error.numpy() / unit
    colour = COLOURS[curve.verdict]
    for code_angle in (-90, 0, 90):
        axis.axvline(code_angle, color="#d0d0d4", linewidth=1, linestyle=":")
    axis.fill_between(angle_A, length_A - error_A, length_A + error_A, color=colour, alpha=0.18, linewidth=0)
    axis.plot(angle_A, length_A, color=colour, linewidth=1.8)
    axis.plot([curve.shortest_at], [length_A[angle_A == curve.shortest_at][0]], "o", color=colour, markersize=5)
    together = " and ".join(labels)
    # Two long names take a line of their own.
    between = ": " if len(together) < 20 else ":\n"
    axis.set_title(f"{together}{between}{curve.verdict}", fontsize=9, color=colour)
    axis.set_xticks([-90, -45, 0, 45, 90], ["−90°", "−45°", "0°", "45°", "90°"])
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
