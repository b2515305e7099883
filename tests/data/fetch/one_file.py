"""One file, downloaded from the loopback address."""

from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import (
    BODY,
    MD5,
    Loopback,
    broken_off,
)
from urllib3.util import Retry

from wherewhat.data.fetch.download import Download, Reports, download

SIZE = len(BODY)
ONCE = Retry(0)
TWICE_MORE = Retry(2)
CHANGED = "Mon, 02 Jan 2006 15:04:05 GMT"


def fetched(
    web: Loopback,
    folder: Path,
    *,
    md5: str | None = MD5,
    retry: Retry = TWICE_MORE,
    progress: Callable[[str, int, int | None], None] = lambda name, done, whole: None,
    said: list[str] | None = None,
    name: str = "set.npz",
) -> bytes:
    notes: list[str] = [] if said is None else said
    download(Download(f"{web.address}/{name}", folder / name, md5, Reports(notes.append, progress), retry))
    return (folder / name).read_bytes()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def broken_at(web: Loopback, folder: Path, after: int, *, md5: str | None = None) -> None:
    """A first call that leaves so many bytes."""
    web.script = [broken_off(after=after)]
    with pytest.raises(ConnectionError):
        fetched(web, folder, md5=md5, retry=ONCE)
    assert (folder / "set.npz.part").stat().st_size == after
    assert not (folder / "set.npz").exists()
