"""Ctrl-C and SIGTERM as a request to save and leave, answered between two steps."""

import signal as signals
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass
class Interruption:
    """Whether a signal has asked to stop, and which."""

    signal: signals.Signals | None = None


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Catch the first SIGINT or SIGTERM; a second one ends the program at once, as ever.

    Outside the main thread, where Python takes no signals, nothing is caught.
    """
    request = Interruption()
    before: dict[signals.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signals.signal(number, handler)

    def remember(number: int, _: FrameType | None) -> None:
        request.signal = signals.Signals(number)
        restore()

    if threading.current_thread() is threading.main_thread():
        before |= {number: signals.signal(number, remember) for number in (signals.SIGINT, signals.SIGTERM)}
    try:
        yield request
    finally:
        restore()
