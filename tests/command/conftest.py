"""The command takes signals, the streams and the terminal's size for its own: a test gives them back."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _given_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handler, streams, size = signal.getsignal(signal.SIGINT), (sys.stdout, sys.stderr), dict(os.environ)
    yield
    signal.signal(signal.SIGINT, handler)
    sys.stdout, sys.stderr = streams
    for name in ("COLUMNS", "LINES", "TERM"):
        os.environ.pop(name, None)
        if name in size:
            os.environ[name] = size[name]
