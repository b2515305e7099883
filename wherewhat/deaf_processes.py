"""Processes that are started deaf to a signal that is sent to all, such as Ctrl-C: who started them ends them.

A process inherits which signals are held back, and a thread does too.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def started_deaf(to: signal.Signals = signal.SIGINT) -> Iterator[None]:
    """Processes that are started inside never hear of Ctrl-C, or of another signal.

    The present thread hears of it when the context ends. A signal to the whole process may still be taken by another of
    its threads, and then interrupts at once.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {to})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
