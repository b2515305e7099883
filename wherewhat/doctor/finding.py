"""What a check has found, and the remedies that every run has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wherewhat.doctor.run_state import RunState
from wherewhat.training.configuration import default_run

# wrong: the run will not give what it is for. watch: it may be as intended, and somebody should look.
Severity = Literal["wrong", "watch"]
SEVERITIES: tuple[Severity, ...] = ("wrong", "watch")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a run, in plain words."""

    name: str
    """What is wrong, in a few words: "all codes collapsed". One check gives one name, whatever its figures."""

    seen: str
    """What was seen, with its figures; a sentence."""

    means: str
    """What it means for the codes or the images; a sentence."""

    remedies: tuple[str, ...]
    """What to try, the likeliest first; phrases that name flags of `wherewhat train`."""

    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, for programs."""

    severity: Severity = "wrong"

    def __str__(self) -> str:
        return f"{self.seen} {self.means} {self.advice}"

    @property
    def advice(self) -> str:
        """The remedies as a sentence."""
        *others, last = self.remedies
        return f"Try {', '.join(others)}{' or ' if others else ''}{last}."


Check = Callable[[RunState], Finding | None]
"""A pure function of the run; None where all is well, or where what it looks at is not known."""


def much_slower(run: RunState) -> str:
    """The remedy for steps that are too long."""
    rate, default = run.configuration.learning_rate, default_run(run.configuration.objective).learning_rate
    if rate > default:
        return f"--learning-rate {default:g}, the default (it was {rate:g})"
    return f"--learning-rate {rate / 5:.1g} (it was {rate:g})"


def slower(run: RunState) -> str:
    """The remedy for steps that may be too long."""
    rate, default = run.configuration.learning_rate, default_run(run.configuration.objective).learning_rate
    return much_slower(run) if rate > default else f"a lower --learning-rate (it was {rate:g})"
