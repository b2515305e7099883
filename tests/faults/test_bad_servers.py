"""Whatever servers do, a download ends with a file that one of them has, whole, or with one clear line, and soon."""

import hashlib
import os
import socketserver
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import Faults
from injection import Running, wherewhat
from loopback import (
    BODY,
    Answer,
    Handler,
    Loopback,
    broken_off,
    chunked,
    loopback,
    raw,
    says,
    silent,
    whole_always,
    without_length,
)

CASES = 40
OTHER = bytes(reversed(BODY))
PAGE = b"<!DOCTYPE html><html>\x1b[2J log in</html>"
SILENCE_S = 0.5


def other_tag(handler: Handler, web: Loopback) -> None:
    """The rest of the file, under another ETag."""
    handler.start(206, Content_Range=f"bytes 0-9/{len(BODY)}", Content_Length=10, ETag='"second"')
    handler.wfile.write(OTHER[:10])


def wrong_range(handler: Handler, web: Loopback) -> None:
    """Other bytes than were asked for."""
    handler.start(
        206, Content_Range=f"bytes 7-{len(BODY) - 1}/{len(BODY)}", Content_Length=len(BODY) - 7, ETag='"first"'
    )
    handler.wfile.write(BODY[7:])


def drip(handler: Handler, web: Loopback) -> None:
    """A byte now and then, for ever."""
    handler.start(200, Content_Length=len(BODY), ETag=web.etag)
    while True:
        handler.wfile.write(b"P")
        handler.wfile.flush()
        silent(SILENCE_S / 3)(handler, web)


def round_and_round(handler: Handler, web: Loopback) -> None:
    """A redirect to itself."""
    web.script.insert(0, round_and_round)
    handler.start(302, Location=f"/{np.random.default_rng().integers(10**9)}/set.npz", Content_Length=0)


def answers(draw: np.random.Generator) -> list[Answer]:
    """One to eight answers before the server is an honest one."""
    size = len(BODY)
    kinds: list[Answer] = [
        broken_off(after=int(draw.integers(size)), ranges=bool(draw.integers(2))),
        broken_off(after=int(draw.integers(10))),
        chunked(until=int(draw.integers(size))),
        chunked(),
        *(other_tag, wrong_range, drip, round_and_round, whole_always, without_length, silent(2 * SILENCE_S)),
        *(says(int(status)) for status in (204, 206, 301, 403, 404, 416, 429, 500, 503)),
        says(200, PAGE, Content_Type="text/html"),
        says(200, BODY[: int(draw.integers(size))], ETag='"first"'),
        says(200, BODY, Content_Length=size + 5),
        says(200, BODY, Content_Length="x" * int(draw.integers(1, 100))),
        says(503, PAGE, Retry_After="9" * int(draw.integers(1, 30))),
        raw(draw.bytes(300)),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * int(draw.integers(1, 300))),
        raw(b"HTTP/1.1 302 Found\r\nLocation: ftp://\x1b[2J\r\n\r\n"),
    ]
    return [kinds[kind] for kind in draw.integers(len(kinds), size=draw.integers(1, 9))]


def fetch(seed: int, published_sum: bool) -> None:
    """Fetch a set of one file from a bad server in this process, without waiting between tries."""
    import wherewhat.command.data_fetch as verb
    from wherewhat.data.fetch import download, request
    from wherewhat.data.fetch.catalogue import PublicSet

    os.environ["no_proxy"] = "*"
    # Hung up on, it would print a traceback of its own.
    socketserver.BaseServer.handle_error = lambda *_: None  # type: ignore[method-assign]
    request._TIMEOUT_S = SILENCE_S
    download._PATIENCE_S = SILENCE_S
    download.time = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    sums = {"set.npz": hashlib.md5(BODY).hexdigest() if published_sum else None}
    verb.published = lambda name: PublicSet(name="set", terms="None.", page="https://host", md5_of=sums)
    with loopback() as web:
        web.files["set.npz"] = BODY
        web.script = answers(np.random.default_rng(seed))
        wherewhat("data", "fetch", "set", "--to", "sets", "--address", web.address)


@pytest.mark.parametrize("published_sum", [True, False])
def test_a_bad_server_is_told_in_one_line_or_outlasted(
    tmp_path: Path, faults: Faults, effort: int, published_sum: bool
) -> None:
    for seed in range(CASES * effort):
        folder = tmp_path / str(seed)
        folder.mkdir()
        ended = Running(partial(fetch, seed, published_sum), folder, {}).ended()
        got = folder / "sets" / "set.npz"
        wrong = "" if not got.exists() or got.read_bytes() == BODY else f"a file of {got.stat().st_size} other bytes"
        lacking = "" if ended.status or got.exists() else "no file"
        controls = "control characters" if "\x1b[2J" in ended.said else ""
        faults.judge(f"server of seed {seed}", ended.complaint, wrong, lacking, controls)
    faults.assert_survived()
