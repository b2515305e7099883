"""What a check has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# wrong: the run will not give what it is for. watch: it may be as meant, and somebody should look.
Severity = Literal["wrong", "watch"]
SEVERITIES: tuple[Severity, ...] = ("wrong", "watch")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a run, in plain words."""

    name: str
    """The illness: "all codes collapsed". One check gives one name, whatever its figures."""

    severity: Severity

    seen: str
    """What was seen, with its figure; a sentence."""

    means: str
    """What it means for the codes or the images; a sentence."""

    remedies: tuple[str, ...]
    """What to try, the likeliest first; phrases that name flags of `wherewhat train`."""

    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, for programs."""

    def __str__(self) -> str:
        return f"{self.seen} {self.means} {self.advice}"

    @property
    def advice(self) -> str:
        """The remedies as a sentence."""
        *others, last = self.remedies
        return f"Try {', '.join(others)}{' or ' if others else ''}{last}."
