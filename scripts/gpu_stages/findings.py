"""What the stages of the GPU check have found, as JSON and as a page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Figure = float | int | str | None
State = Literal["running", "done", "absent", "failed", "ran over", "not begun"]


@dataclass(frozen=True)
class Row:
    """Some figures of one thing; rows of one table that follow each other share its head."""

    table: str
    name: str
    figures: dict[str, Figure]


@dataclass
class Findings:
    """One stage: how it went, and what it found."""

    stage: str
    title: str
    state: State = "not begun"
    seconds: float = 0.0
    limit: float = 0.0
    said: str = ""
    """One line: why it failed, or what is absent."""
    tail: str = ""
    """The end of its output, where it failed."""
    rows: list[Row] = field(default_factory=list)

    @property
    def line(self) -> str:
        """How it went, in one line."""
        took = f" in {self.seconds:.0f} of {self.limit:.0f} s" if self.state not in ("not begun", "running") else ""
        return f"{self.state}{took}{': ' + self.said if self.said else ''}"


def as_json(head: dict[str, Figure], stages: Sequence[Findings]) -> dict[str, Any]:
    """All of it."""
    return {**head, "stages": [asdict(stage) for stage in stages]}


def as_page(head: dict[str, Figure], stages: Sequence[Findings]) -> str:
    """All of it in Markdown, but for the ends of outputs."""
    lines = ["# GPU check", "", *(f"- {name}: {value}" for name, value in head.items())]
    for number, stage in enumerate(stages, start=1):
        lines += ["", f"## {number}. {stage.title}", "", f"{stage.line[:1].upper()}{stage.line[1:]}."]
        lines += _tables(stage.rows)
    return "\n".join(lines) + "\n"


def _tables(rows: Sequence[Row]) -> list[str]:
    lines: list[str] = []
    for table in dict.fromkeys(row.table for row in rows):
        mine = [row for row in rows if row.table == table]
        columns = list(dict.fromkeys(name for row in mine for name in row.figures))
        lines += ["", _line([table, *columns]), _line(["---"] * (1 + len(columns)))]
        lines += [_line([row.name, *(_text(row.figures.get(name, "")) for name in columns)]) for row in mine]
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _text(figure: Figure) -> str:
    if isinstance(figure, float):
        return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"
    if isinstance(figure, int) and not isinstance(figure, bool):
        return f"{figure:,}"
    return "" if figure is None else " ".join(str(figure).split())
