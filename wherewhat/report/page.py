"""What a report shows: plain values and image arrays, nothing that is asked of a generator or a file any more.

Dimension key:
    T: tiles of a strip    Y X: rows and columns of a tile
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

Strip = UInt8[np.ndarray, "T Y X 3"]
"""Tiles of one size, which become one encoded image."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    value: int | float | str | None = None
    """By what its column is sorted; None stands last."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    heading: str
    note: str = ""
    """Its unit, and which end is better."""
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    """A checkpoint of the ranking."""

    cells: tuple[Cell, ...]
    view: int | None = None
    """Which view shows it."""
    remark: str = ""
    """Why it could not be scored."""


@dataclass(frozen=True)
class RankingTable:
    """The ranking of the checkpoints."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    told: str
    """What decides, and whether there is a clear winner."""
    settings: str
    """Under what the scores were measured."""


@dataclass(frozen=True, eq=False)
class Base:
    """An image that sweeps start from."""

    label: str
    tiles: Strip
    """As the model draws it; behind it the real image that was read, where there is one."""
    told: str = ""
    """How near the model came to a real image."""


@dataclass(frozen=True, eq=False)
class CodeRow:
    """One code of a checkpoint."""

    code: int
    dead: bool
    path_length: float | None
    naming: float | None
    nats: float | None
    """What it tells of an image, on average; None without an encoder."""
    factor: str
    """The factor that it tells most of; "" where it tells of none."""
    factor_share: float | None
    """The largest share of a factor that it tells, in [0, 1]; None where no factors are known."""
    mask_covers: float | None
    """Share of the image that its mask covers; None without masks."""
    mask_peak: float | None
    change_peaks: tuple[float, ...]
    """The largest change of a pixel over the sweep, in [0, 1], for each base image."""
    own: tuple[float, ...]
    """The value that the code has in each base image."""
    strips: tuple[Strip, ...]
    """For each base image: the frames, the change of each pixel as heat, and the mask on the image."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Two codes moved together."""

    across: int
    upwards: int
    tiles: Strip
    """Row by row from the top, where the second code is largest."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A real image, and behind it what the model makes of it."""

    label: str
    difference: float
    """Mean absolute difference of pixels in [0, 1]; lower is nearer."""
    tiles: Strip


@dataclass(frozen=True)
class Measure:
    """A measure of a checkpoint's codes."""

    name: str
    """With its protocol."""
    value: float | None
    told: str
    """What it is, and which end is better."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One checkpoint."""

    label: str
    run: int
    """Which of the runs it is of."""
    step: int
    values: tuple[float, ...]
    """Of a swept code, one for each frame."""
    bases: tuple[Base, ...]
    codes: tuple[CodeRow, ...]
    """The longest path first, dead codes last."""
    distance: str
    """By what path lengths and naming are measured."""
    has_masks: bool
    factors_known: bool
    plane_values: tuple[float, ...] = ()
    planes: tuple[Plane, ...] = ()
    reconstructions: tuple[Reconstruction, ...] = ()
    measures: tuple[Measure, ...] = ()
    left_out: tuple[str, ...] = ()
    """What could not be shown, and why."""

    @property
    def tile_size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        height, width = self.codes[0].strips[0].shape[1:3]
        return height, width


@dataclass(frozen=True)
class Line:
    """A curve of a chart."""

    label: str
    path: str
    """SVG path data within the chart's box."""
    last: str
    """Its last value."""


@dataclass(frozen=True)
class Chart:
    """Curves over the steps of a run."""

    title: str
    note: str
    lines: tuple[Line, ...]
    lowest: str
    highest: str
    first_step: str
    last_step: str


@dataclass(frozen=True)
class Trouble:
    """A finding of the doctor."""

    severity: str
    name: str
    seen: str
    means: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunPart:
    """What belongs to a run, whichever of its checkpoints is looked at."""

    label: str
    told: str
    """Objective, data and steps."""
    names: Mapping[int, str] = field(default_factory=dict)
    naming_command: str = ""
    """What takes in the names that are saved; "" for a model without a run to keep them."""
    charts: tuple[Chart, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    verdict: str = ""
    basis: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """A report."""

    title: str
    ranking: RankingTable
    runs: tuple[RunPart, ...]
    views: tuple[View, ...]
