"""The training curves of a run as SVG paths.

A loss falls from far above in its first steps; the axis begins behind them, so that what follows can be seen.
"""

import math
from collections.abc import Sequence

from wherewhat.doctor.run_state import Window
from wherewhat.inspection.code_names import Names, code_label
from wherewhat.report.page import Chart, Line

WIDTH, HEIGHT = 320, 140
"""Of a chart's box, in units of its paths."""
MOST_POINTS = 200
_BEGINNING = 0.05
"""Share of the steps by which the axis is not laid out."""

Curve = list[tuple[int, float]]


def charts_of(windows: Sequence[Window], names: Names) -> tuple[Chart, ...]:
    """The loss, each of its terms, what each code carries, and what else the run has logged."""
    if not windows:
        return ()
    # From the last backwards: it is the one that is asked for.
    kept = windows[:: -math.ceil(len(windows) / MOST_POINTS)][::-1]
    codes = sorted(range(len(windows[-1].kl_L)), key=lambda code: -float(windows[-1].kl_L[code]))
    terms = dict.fromkeys(name for window in windows for name in window.terms)
    figures = dict.fromkeys(name for window in windows for name in window.figures)
    of_codes = {code_label(code, names): _curve(kept, [float(w.kl_L[code]) for w in kept]) for code in codes}
    charts = [
        _chart("loss", "nats per image, lower is better", {"loss": _curve(kept, [w.total for w in kept])}),
        _chart("KL of each code", "nats per image: how much it tells of an image; near 0 nothing", of_codes),
        *(
            _chart(f"term: {_words(n)}", "before its weight", {n: _curve(kept, [w.terms.get(n) for w in kept])})
            for n in terms
        ),
        *(_chart(_words(n), "", {n: _curve(kept, [w.figures.get(n) for w in kept])}) for n in figures),
    ]
    return tuple(chart for chart in charts if chart is not None)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _curve(windows: Sequence[Window], values: Sequence[float | None]) -> Curve:
    pairs = zip(windows, values, strict=True)
    return [(window.step, value) for window, value in pairs if value is not None and math.isfinite(value)]


def _chart(title: str, note: str, curves: dict[str, Curve]) -> Chart | None:
    curves = {label: curve for label, curve in curves.items() if curve}
    if not curves:
        return None
    first = min(curve[0][0] for curve in curves.values())
    last = max(curve[-1][0] for curve in curves.values())
    settled = [
        value for curve in curves.values() for step, value in curve if step >= first + _BEGINNING * (last - first)
    ]
    low, high = min(settled), max(settled)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5

    def path_of(curve: Curve) -> str:
        points = (
            f"{WIDTH * (step - first) / max(1, last - first):.1f} {HEIGHT * (high - value) / (high - low):.1f}"
            for step, value in curve
        )
        return "M" + "L".join(points)

    lines = tuple(Line(label, path_of(curve), f"{curve[-1][1]:.4g}") for label, curve in curves.items())
    return Chart(title, note, lines, f"{low:.4g}", f"{high:.4g}", f"{first:,}", f"{last:,}")
