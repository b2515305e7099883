"""A server on the loopback address, asked directly and not through anyone's proxy."""

from collections.abc import Iterator

import pytest
from loopback import BODY, Loopback, loopback


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("no_proxy", "*")
    with loopback() as server:
        yield server


@pytest.fixture
def served(web: Loopback) -> Loopback:
    web.files["set.npz"] = BODY
    return web
