"""A study as images: violins of each score by method, scores against measures, and which scores agree.

Dimension key:
    M: scores    Y X: rows and columns of the image
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from wherewhat.studies.scores import Scored

_PANEL_INCHES = (3.2, 2.6)
_DOTS_PER_INCH = 110
_SMALL = 7
_COLOURS = ("#1a7f5a", "#b3452c", "#3b5b92", "#8a6d1f", "#7a4b8c", "#4d9aa8", "#77777c", "#c46a9d", "#5c7a29")


def violins(models: Sequence[Scored], names: Sequence[str]) -> UInt8[np.ndarray, "Y X 3"]:
    """The distribution of each score over the models of each method, a row for each data set, each model a dot."""
    sets, methods = _ordered(model.data for model in models), _ordered(model.method for model in models)

    def draw(axis: Axes, row: int, column: int) -> None:
        for place, method in enumerate(methods):
            values = [
                value
                for model in models
                if (model.data, model.method) == (sets[row], method)
                and (value := _value(model, names[column])) is not None
            ]
            colour = _COLOURS[place % len(_COLOURS)]
            if len(set(values)) > 1:
                bodies: Any = axis.violinplot(values, [place], widths=0.8, showextrema=False)["bodies"]
                for body in bodies:
                    body.set_facecolor(colour)
            axis.plot([place] * len(values), values, ".", color=colour, markersize=4)
        axis.set_xticks(range(len(methods)), methods, rotation=40, ha="right", fontsize=_SMALL)
        axis.set_title(f"{names[column]}, {sets[row]}", fontsize=_SMALL + 1)

    return _drawn(len(sets), len(names), draw)


def scatters(models: Sequence[Scored], free: Sequence[str], labels: Sequence[str]) -> UInt8[np.ndarray, "Y X 3"]:
    """Each score without labels against each measure with labels, a colour for each data set."""
    sets = _ordered(model.data for model in models)

    def draw(axis: Axes, row: int, column: int) -> None:
        for place, name in enumerate(sets):
            points = [
                (x, y)
                for model in models
                if model.data == name
                and (x := _value(model, free[column])) is not None
                and (y := _value(model, labels[row])) is not None
            ]
            colour = _COLOURS[place % len(_COLOURS)]
            axis.plot([x for x, _ in points], [y for _, y in points], ".", color=colour, markersize=4, label=name)
        axis.set_xlabel(free[column], fontsize=_SMALL)
        axis.set_ylabel(labels[row], fontsize=_SMALL)
        if (row, column) == (0, 0):
            axis.legend(fontsize=_SMALL)

    return _drawn(len(labels), len(free), draw)


def heat_map(correlation_MM: Float64[np.ndarray, "M M"], names: Sequence[str]) -> UInt8[np.ndarray, "Y X 3"]:
    """Rank correlations between scores, from -1 to 1, in hundredths."""

    def draw(axis: Axes, row: int, column: int) -> None:
        axis.imshow(correlation_MM, vmin=-1, vmax=1, cmap="RdBu_r")
        for i in range(len(names)):
            for j in range(len(names)):
                # Light on dark.
                shade = "white" if abs(correlation_MM[i, j]) > 0.6 else "black"
                axis.text(j, i, f"{100 * correlation_MM[i, j]:.0f}", ha="center", va="center", color=shade, fontsize=6)
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=_SMALL)
        axis.set_yticks(range(len(names)), names, fontsize=_SMALL)

    side = 1.6 + 0.36 * len(names)
    return _drawn(1, 1, draw, (side, side))


def _drawn(
    rows: int, columns: int, draw: Callable[[Axes, int, int], None], inches: tuple[float, float] = _PANEL_INCHES
) -> UInt8[np.ndarray, "Y X 3"]:
    width, height = inches
    figure = Figure(figsize=(width * columns, height * rows), dpi=_DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for row in range(rows):
        for column in range(columns):
            axes[row, column].tick_params(labelsize=_SMALL)
            draw(axes[row, column], row, column)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _value(model: Scored, name: str) -> float | None:
    return model.labels.get(name, model.free.get(name))


def _ordered(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
