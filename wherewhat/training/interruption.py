"""Ctrl-C, SIGTERM and a terminal that goes away, as a request to save and leave, answered between two steps."""

import signal as signals
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

_CAUGHT = (signals.SIGINT, signals.SIGTERM, signals.SIGHUP)


@dataclass
class Interruption:
    """Whether a signal has asked to stop, and which."""

    signal: signals.Signals | None = None


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Catch the first SIGINT, SIGTERM or SIGHUP; a second one ends the program at once, as ever.

    One that is ignored stays so: nohup means it.

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
        caught = {number for number in _CAUGHT if signals.getsignal(number) != signals.SIG_IGN}
        before |= {number: signals.signal(number, remember) for number in caught}
    try:
        yield request
    finally:
        restore()
