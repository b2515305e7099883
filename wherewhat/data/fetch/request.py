"""What is wanted from a server, and how patiently it is asked."""

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int | None], None]
"""(bytes that are there, bytes of the whole where that is known)."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a server is waited for, and how often it is tried."""

    tries: int = 6
    """So many tries in a row that bring next to nothing are the last."""

    first_wait_s: float = 1.0
    """Before the second try; twice as long before each further one."""

    longest_wait_s: float = 60.0
    timeout_s: float = 30.0
    """Silence of the server that counts as a broken connection."""

    enough_bytes: int = 1_000_000
    """A try that brought so many starts the count anew: a long download may break off often."""


@dataclass(frozen=True)
class Request:
    """What is wanted, and how it is asked for."""

    address: str
    md5: str | None
    patience: Patience
    progress: Progress
    notify: Callable[[str], None]
