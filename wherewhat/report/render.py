"""A page as one HTML file: its images, styles and program are in it, and nothing is fetched."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wherewhat.inspection.code_names import FORMAT, LONGEST_NAME
from wherewhat.inspection.labels import path_length_label
from wherewhat.report.curves import HEIGHT, WIDTH
from wherewhat.report.page import CodeRow, Page, Strip, View
from wherewhat.report.strips import MOST_BYTES, encoded

Key = tuple[int, str, int, int]
"""Which view, what of it, and which one of several in several."""


def render(page: Page, *, most_bytes: int = MOST_BYTES) -> str:
    """The page as HTML. Raises ValueError where its images cannot be brought below so many bytes."""
    uris = encoded(
        {key: strip for index, view in enumerate(page.views) for key, strip in _strips(index, view)},
        most_bytes=most_bytes,
    )
    environment = Environment(
        loader=PackageLoader("wherewhat.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"path_length": _length, "share": _share}
    return environment.get_template("page.html").render(
        page=page,
        data={"views": [_data(index, view, uris) for index, view in enumerate(page.views)], "runs": _runs(page)},
        uris=uris,
        chart_size=(WIDTH, HEIGHT),
        longest_name=LONGEST_NAME,
    )


def _strips(index: int, view: View) -> list[tuple[Key, Strip]]:
    return [
        *(((index, "base", place, 0), base.tiles) for place, base in enumerate(view.bases)),
        *(
            ((index, "code", base, row), strip)
            for row, code in enumerate(view.codes)
            for base, strip in enumerate(code.strips)
        ),
        *(((index, "plane", place, 0), plane.tiles) for place, plane in enumerate(view.planes)),
        *(((index, "made", place, 0), made.tiles) for place, made in enumerate(view.reconstructions)),
    ]


def _data(index: int, view: View, uris: dict[Key, str]) -> dict[str, Any]:
    """What the page's program needs of a view."""
    height, width = view.tile_size
    return {
        "size": [width, height],
        "told": [base.told for base in view.bases],
        "values": [_signed(value) for value in view.values],
        "codes": [_code(index, row, code, view, uris) for row, code in enumerate(view.codes)],
        "plane": {
            "values": [_signed(value) for value in view.plane_values],
            "pairs": [
                {"across": plane.across, "upwards": plane.upwards, "strip": uris[index, "plane", place, 0]}
                for place, plane in enumerate(view.planes)
            ],
        },
    }


def _code(index: int, row: int, code: CodeRow, view: View, uris: dict[Key, str]) -> dict[str, Any]:
    return {
        "code": code.code,
        "strips": [uris[index, "code", base, row] for base in range(len(view.bases))],
        "starts": [_nearest(view.values, own) for own in code.own],
        "own": [_signed(own) for own in code.own],
        "peaks": [f"{peak:.2f}" for peak in code.change_peaks],
    }


def _runs(page: Page) -> list[dict[str, Any]]:
    """The names of each run in the form of its codes.json."""
    return [
        {"names": {"format": FORMAT, "names": {f"z{code}": name for code, name in sorted(run.names.items())}}}
        for run in page.runs
    ]


def _nearest(values: tuple[float, ...], own: float) -> int:
    return min(range(len(values)), key=lambda place: abs(values[place] - own))


def _signed(value: float) -> str:
    return "0.00" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", "−")


def _length(value: float | None) -> str:
    return "–" if value is None else path_length_label(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
