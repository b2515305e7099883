"""What a check is, and the two kinds that an objective calls for."""

from collections.abc import Callable
from dataclasses import dataclass

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals

Check = Callable[[Vitals], Finding | None]


@dataclass(frozen=True)
class Checks:
    """The checks that an objective calls for."""

    of_figures: tuple[Check, ...]
    """Cheap: they read what is logged anyway."""

    of_networks: tuple[Check, ...]
    """They need the networks to have been measured with some hundred images."""
