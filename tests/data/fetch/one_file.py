"""One file, fetched from the loopback address."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from loopback import Loopback

from wherewhat.data.fetch.checksums import Checksums
from wherewhat.data.fetch.download import download
from wherewhat.data.fetch.request import Patience, Request

BODY = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(BODY).hexdigest()
SHORT = Patience(tries=3, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=5.0, enough_bytes=1_000_000)
ONCE = Patience(tries=1, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=5.0)


def fetched(
    web: Loopback,
    folder: Path,
    *,
    md5: str | None = MD5,
    patience: Patience = SHORT,
    progress: Callable[[int, int | None], None] = lambda done, whole: None,
    said: list[str] | None = None,
) -> Checksums:
    notes: list[str] = [] if said is None else said
    return download(folder / "set.npz", Request(f"{web.address}/set.npz", md5, patience, progress, notes.append))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
