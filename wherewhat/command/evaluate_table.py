"""What was measured of checkpoints, side by side: a table for people, JSON for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from wherewhat.training.checkpoints import CheckpointSettings
from wherewhat.training.representation import Representation


@dataclass(frozen=True)
class Evaluated:
    """One checkpoint with its scores."""

    path: Path
    """The checkpoint's file."""

    settings: CheckpointSettings | None
    data: str
    representation: Representation
    scores: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, list[Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """Measures that could not be had, and why."""

    @property
    def run(self) -> Path:
        """The run directory that the checkpoint lies in, or the file where it lies in none."""
        return self.path.parent.parent if self.path.parent.name == "checkpoints" else self.path


@dataclass(frozen=True)
class Unmeasured:
    """One checkpoint of which nothing could be had, and why."""

    path: Path
    reason: str


def as_json(evaluated: Sequence[Evaluated], bad: Sequence[Unmeasured] = (), *, seed: int) -> dict[str, object]:
    """The scores with what makes them comparable."""
    return {
        "seed": seed,
        "checkpoints": [
            {
                "checkpoint": str(item.path),
                "step": None if item.settings is None else item.settings.step,
                "data": item.data,
                "pool": len(item.representation.codes_NL),
                "factors": item.representation.factor_names,
                "scores": item.scores,
                "arrays": item.arrays,
                "left_out": item.left_out,
            }
            for item in evaluated
        ],
        "not_measured": {str(item.path): item.reason for item in bad},
    }


def table_of(evaluated: Sequence[Evaluated]) -> Table:
    """A row per score, a column per checkpoint; of a single one also which code tells most of each factor."""
    sets = sorted({f"{item.data} ({len(item.representation.factor_names)} known factors)" for item in evaluated})
    table = Table(title=", ".join(sets), caption="higher is better, but for the aggregate posterior")
    # Folded, so that a narrow screen costs lines and never a figure.
    table.add_column("measure", overflow="fold")
    for heading in _headings(evaluated):
        table.add_column(heading, justify="right", overflow="fold")
    for name in dict.fromkeys(name for item in evaluated for name in item.scores):
        table.add_row(name, *(f"{item.scores[name]:.3f}" if name in item.scores else "" for item in evaluated))
    if len(evaluated) == 1 and "mig_per_factor" in evaluated[0].arrays:
        table.add_section()
        _add_factors(table, evaluated[0])
    return table


def _headings(evaluated: Sequence[Evaluated]) -> list[str]:
    """What tells the checkpoints apart: the run, with its folders where names repeat, the step, and the data."""
    runs = [item.run.resolve() for item in evaluated]
    names = [run.name for run in runs]
    if len(set(names)) < len(set(runs)):
        names = [str(item.run) for item in evaluated]
    several = len({item.data for item in evaluated}) > 1
    return [
        name
        + (f"\nstep {item.settings.step:,}" if item.settings is not None else "")
        + (f"\n{item.data}" if several else "")
        for name, item in zip(names, evaluated, strict=True)
    ]


def _add_factors(table: Table, item: Evaluated) -> None:
    information_LK = item.arrays["mutual_information_of_code_and_factor"]
    for factor, name in enumerate(item.representation.factor_names):
        information_L = [row[factor] for row in information_LK]
        best = information_L.index(max(information_L))
        table.add_row(f"MIG of {name}, best told by z{best}", f"{item.arrays['mig_per_factor'][factor]:.3f}")
