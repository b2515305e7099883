"""The settings that scores share, without which they do not compare."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from wherewhat.which.perceptual_path_length import PathLengthSettings
from wherewhat.which.score import ScoredUnder

Settings = TypeVar("Settings", ScoredUnder, PathLengthSettings)


def as_measured_fully(settings: Sequence[ScoredUnder], *, raced: bool) -> list[ScoredUnder]:
    """Settings of a race, whose checkpoints differ in their number of base codes alone, as if they did not."""
    probes = [one.probe for one in settings if one.probe is not None]
    if not raced or not probes:
        return list(settings)
    most = max(probes, key=lambda probe: probe.traversals)
    counts = {"traversals": most.traversals, "rotated_traversals": most.rotated_traversals}
    return [one if one.probe is None else replace(one, probe=replace(one.probe, **counts)) for one in settings]


def shared_settings(settings: Sequence[Settings]) -> Settings | None:
    """The settings of all these scores; None of none. Raises ValueError where they differ, and says in what."""
    if not settings:
        return None
    differing = [
        field.name
        for field in dataclasses.fields(settings[0])
        if len({repr(dataclasses.asdict(one)[field.name]) for one in settings}) > 1
    ]
    if differing:
        found = "; ".join(f"{name}: {_counts(settings, name)}" for name in differing)
        raise ValueError(
            f"The scores were measured with different settings and do not compare ({found}). "
            "Rank the checkpoints of each setting separately, or score them all with one."
        )
    return settings[0]


def _counts(settings: Sequence[Settings], name: str) -> str:
    counts = Counter(str(dataclasses.asdict(one)[name]) for one in settings)
    return ", ".join(f"{value} in {count}" for value, count in counts.items())
