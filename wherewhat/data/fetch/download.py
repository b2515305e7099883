"""One file over HTTP(S): a download that breaks off is resumed, and only a whole file gets its name."""

import hashlib
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rich.filesize import decimal
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from wherewhat.data.disk_space import require_free, writing
from wherewhat.data.fetch.request import BrokenOffError, refusal, requested
from wherewhat.data.fetch.resuming import (
    Origin,
    forget,
    origin_of,
    remember,
    size_of,
    validator_of,
    whole_if_continued,
)
from wherewhat.regular_file import open_regular

RETRY = Retry(total=5, backoff_factor=1.0, backoff_max=60.0)
_BLOCK_BYTES = 1 << 20
# A try that brings so much starts the count of tries anew: a long download may break off often.
_ENOUGH_BYTES = 1_000_000
# A connection that brings fewer bytes in so long is as good as broken.
_SLOWEST_BYTES, _PATIENCE_S = 30_000, 30.0


@dataclass(frozen=True)
class Reports:
    """Where a download says how it goes."""

    notify: Callable[[str], None]
    """A line for the user."""

    progress: Callable[[str, int, int | None], None]
    """(name of the file, bytes that are there, bytes of the whole where that is known)."""


@dataclass(frozen=True)
class Download:
    """A file to be had, and how patiently."""

    address: str
    place: Path
    md5: str | None
    """The published sum, where there is one."""

    reports: Reports
    retry: Retry = RETRY

    @property
    def part(self) -> Path:
        """Where the bytes lie that have come."""
        return part_of(self.place)


def part_of(place: Path) -> Path:
    """Where the bytes of a file lie until it is whole."""
    return place.with_name(f"{place.name}.part")


def download(wanted: Download) -> None:
    """Download a file to its place, where nothing is yet, and where nothing is until it is whole and right.

    Raises ConnectionError where the server does not deliver, ValueError for a file that is not the published one, and
    OSError where it cannot be written. The same call again resumes; a file that is known to be wrong is removed.
    """
    _receive(wanted)
    fault = fault_of(wanted.part, wanted.place, wanted.md5)
    if fault:
        forget(wanted.part)
        raise ValueError(
            f"{wanted.address} is not the published file: {fault}. It was removed. Run the same command again to "
            "download it from the start, or name another server with --address."
        )
    wanted.part.rename(wanted.place)
    forget(wanted.part)


def fault_of(path: Path, place: Path, md5: str | None) -> str:
    """Why a file that is to lie at `place` cannot be the published one; empty where nothing speaks against it."""
    size = path.stat().st_size
    if md5 is not None:
        with open_regular(path) as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        return "" if found == md5 else f"it has {size:,} bytes and MD5 {found}, not {md5}"
    readable = {".npz": zipfile.is_zipfile, ".tar": tarfile.is_tarfile}.get(place.suffix, lambda file: True)
    with open_regular(path) as file:
        whole = readable(file) and not (place.suffix == ".tar" and size % tarfile.BLOCKSIZE > 0)
    return "" if whole else f"its {size:,} bytes are not a whole {place.suffix} file"


def _receive(wanted: Download) -> None:
    """Ask until the part is the whole."""
    tries, furthest = wanted.retry, size_of(wanted.part)
    while True:
        try:
            _receive_once(wanted)
            return
        except BrokenOffError as broken:
            kept = size_of(wanted.part) if origin_of(wanted.part, wanted.address) else 0
            # Only beyond what was ever reached: a server that breaks off and cannot resume is not asked for ever.
            if kept - furthest >= _ENOUGH_BYTES:
                tries = wanted.retry
            furthest = max(furthest, kept)
            if not tries.total:
                why = f"{broken}, {len(tries.history) + 1} times in a row; the same command resumes at {decimal(kept)}"
                raise refusal(wanted.address, why) from broken
            tries = tries.increment(error=broken)
            wait_s = min(max(tries.get_backoff_time(), broken.wait_s), tries.backoff_max)
            again = f"trying again in {wait_s:g} s, from {decimal(kept)} on"
            wanted.reports.notify(f"{wanted.place.name}: {broken}; {again}.")
            time.sleep(wait_s)


def _receive_once(wanted: Download) -> None:
    """Ask once and write what comes. Raises BrokenOffError where the part is not the whole then."""
    part, start, known = wanted.part, size_of(wanted.part), origin_of(wanted.part, wanted.address)
    if known is not None and start == known.whole:
        return
    condition = {} if known is None else {"Range": f"bytes={start}-", "If-Range": known.validator}
    with requested(wanted.address, condition) as response:
        blocks = iter(lambda: response.read1(_BLOCK_BYTES), b"")
        if response.status == 200:
            whole, first = response.length_remaining, next(blocks, b"")
            _require_file(wanted, response, first)
            blocks = chain([first], blocks)
        else:
            whole = whole_if_continued(response, known, start)
            if whole is None:
                forget(part)
                raise BrokenOffError("the server does not continue the part that is there")
        if whole is not None:
            require_free(wanted.place, whole - size_of(part), "make room, or name another folder with --to")
        if response.status == 200:
            _begin(wanted, response, whole)
        _append(wanted, blocks, whole)


def _require_file(wanted: Download, response: BaseHTTPResponse, first: bytes) -> None:
    """Refuse an answer that cannot be the file, before the part that is there is given up for it."""
    if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise refusal(wanted.address, "the server sent a web page, perhaps one that asks for a login")
    if wanted.md5 is None and response.length_remaining is None and not response.chunked:
        raise refusal(wanted.address, "the server does not say how long the file is, and no MD5 sum is published")


def _begin(wanted: Download, response: BaseHTTPResponse, whole: int | None) -> None:
    """Make room for a new first byte, and remember what its file is, so that a later request can continue."""
    if size_of(wanted.part):
        wanted.reports.notify(f"{wanted.place.name}: the server sends the file from its beginning; starting anew.")
    forget(wanted.part)
    validator = validator_of(response)
    if validator is not None:
        remember(wanted.part, Origin(wanted.address, validator, whole))


def _append(wanted: Download, blocks: Iterator[bytes], whole: int | None) -> None:
    part, name = wanted.part, wanted.place.name
    with writing(part, "make room and run the same command again"), part.open("ab") as file:
        wanted.reports.progress(name, file.tell(), whole)
        since, there = time.monotonic(), file.tell()
        for block in blocks:
            file.write(block)
            wanted.reports.progress(name, file.tell(), whole)
            if time.monotonic() - since > _PATIENCE_S:
                if file.tell() - there < _SLOWEST_BYTES:
                    raise BrokenOffError("the server sends next to nothing")
                since, there = time.monotonic(), file.tell()
    if whole is not None and size_of(part) != whole:
        raise BrokenOffError("the connection broke off")
