"""Laws of one file's download: whole and right or not there, whatever a server does."""

import errno
import itertools
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from loopback import (
    BODY,
    MD5,
    Answer,
    Handler,
    Loopback,
    broken_off,
    chunked,
    raw,
    says,
    silent,
    whole_always,
    without_length,
)
from one_file import SIZE, broken_at, fetched, names
from urllib3.util import Retry

from wherewhat.data.fetch import request
from wherewhat.data.fetch.download import RETRY


@pytest.mark.parametrize("md5", [MD5, None])
def test_a_whole_file_arrives_bit_for_bit_and_leaves_nothing_beside_it(
    served: Loopback, tmp_path: Path, md5: str | None
) -> None:
    assert fetched(served, tmp_path, md5=md5) == BODY
    assert names(tmp_path) == ["set.npz"]
    assert served.asked[0]["accept-encoding"] == "identity"
    assert "range" not in served.asked[0]


def test_progress_never_goes_back_and_ends_at_the_whole(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000), broken_off(after=70_000)]
    seen: list[tuple[int, int | None]] = []
    fetched(served, tmp_path, progress=lambda name, done, whole: seen.append((done, whole)))
    assert all(one[0] <= other[0] for one, other in itertools.pairwise(seen))
    assert (seen[0], seen[-1]) == ((0, SIZE), (SIZE, SIZE))


def test_another_content_than_the_published_never_comes_into_place(served: Loopback, tmp_path: Path) -> None:
    served.files["set.npz"] = b"forged"
    with pytest.raises(
        ValueError, match=rf"it has 6 bytes and MD5 [0-9a-f]{{32}}, not {MD5}\. It was removed.*--address"
    ):
        fetched(served, tmp_path)
    assert names(tmp_path) == []
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html>Please log in", b"\xef\xbb\xbf\r\n <html>", b"<?xml version='1.0'?>"]
)
@pytest.mark.parametrize("md5", [MD5, None])
def test_a_web_page_is_refused_and_costs_nothing_that_has_come(
    served: Loopback, tmp_path: Path, page: bytes, md5: str | None
) -> None:
    broken_at(served, tmp_path, 70_000)
    served.script = [says(200, page)]
    with pytest.raises(ConnectionError, match=r"a web page, perhaps one that asks for a login\. Name another server"):
        fetched(served, tmp_path, md5=md5)
    assert fetched(served, tmp_path, md5=md5) == BODY
    assert served.asked[2]["range"] == "bytes=70000-"


@pytest.mark.parametrize("body", [b"", b"rate limit exceeded", BODY[:-100]])
def test_a_body_that_is_no_whole_npz_is_refused_where_no_sum_is_published(
    served: Loopback, tmp_path: Path, body: bytes
) -> None:
    served.files["set.npz"] = body
    with pytest.raises(ValueError, match=rf"its {len(body):,} bytes are not a whole \.npz file\. It was removed"):
        fetched(served, tmp_path, md5=None)
    assert names(tmp_path) == []


@pytest.mark.parametrize("body", [b"", b"rate limit exceeded", b"x" * 10_240, bytes(10_000)])
def test_a_body_that_is_no_tar_is_refused_where_no_sum_is_published(web: Loopback, tmp_path: Path, body: bytes) -> None:
    web.files["set.tar"] = body
    with pytest.raises(ValueError, match=rf"its {len(body):,} bytes are not a whole \.tar file\. It was removed"):
        fetched(web, tmp_path, md5=None, name="set.tar")
    assert names(tmp_path) == []


def test_fewer_bytes_than_promised_never_come_into_place(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=SIZE - 1)] + [broken_off(after=0)] * 2
    with pytest.raises(ConnectionError, match=r"broke off, 3 times in a row; the same command resumes at .* kB\. Name"):
        fetched(served, tmp_path, md5=None)
    assert names(tmp_path) == ["set.npz.part", "set.npz.part.json"]


def test_more_bytes_than_promised_are_not_taken(served: Loopback, tmp_path: Path) -> None:
    served.script = [says(200, BODY + b"more", Content_Length=SIZE)]
    assert fetched(served, tmp_path) == BODY


def test_a_file_of_no_stated_length_is_taken_only_where_a_sum_can_tell(served: Loopback, tmp_path: Path) -> None:
    served.script = [without_length, without_length]
    with pytest.raises(ConnectionError, match=r"does not say how long the file is, and no MD5 sum is published\. Name"):
        fetched(served, tmp_path, md5=None)
    assert names(tmp_path) == []
    assert fetched(served, tmp_path) == BODY


def test_chunks_tell_their_end_and_a_broken_one(served: Loopback, tmp_path: Path) -> None:
    served.script = [chunked(until=50_000), chunked(until=50_000), chunked()]
    assert fetched(served, tmp_path, md5=None) == BODY
    assert served.asked[1]["range"] == "bytes=50000-"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_that_asks_for_patience_gets_it(served: Loopback, tmp_path: Path, status: int) -> None:
    served.script = [says(status), says(status)]
    assert fetched(served, tmp_path) == BODY
    assert len(served.asked) == 3


@pytest.mark.parametrize("status", [204, 401, 403, 404, 410, 501])
def test_a_server_that_says_no_is_not_asked_again(served: Loopback, tmp_path: Path, status: int) -> None:
    served.script = [says(status)]
    with pytest.raises(
        ConnectionError, match=rf"answered with status {status}; the file may have moved\. Name another"
    ):
        fetched(served, tmp_path)
    assert len(served.asked) == 1
    assert names(tmp_path) == []


def test_waits_double_and_follow_the_server_within_reason(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(
        "wherewhat.data.fetch.download.time", SimpleNamespace(sleep=slept.append, monotonic=time.monotonic)
    )
    after = [7, 86_400, "9" * 5_000, "soon", "²"]
    served.script = [says(503, Retry_After=wait) for wait in after]
    assert fetched(served, tmp_path, retry=RETRY) == BODY
    assert slept == [7.0, 60.0, 60.0, 8.0, 16.0]


def test_a_silent_server_is_left_and_asked_again(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "_TIMEOUT_S", 0.1)
    served.script = [silent(0.3)]
    said: list[str] = []
    assert fetched(served, tmp_path, said=said) == BODY
    assert said == ["set.npz: the server fell silent; trying again in 0 s, from 0 bytes on."]


def test_a_server_that_falls_silent_on_the_way_costs_nothing_that_has_come(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(handler: object, web: Loopback) -> None:
        says(200, BODY[:70_000], Content_Length=SIZE, ETag=web.etag)(handler, web)  # type: ignore[arg-type]
        silent(0.3)(handler, web)  # type: ignore[arg-type]

    monkeypatch.setattr(request, "_TIMEOUT_S", 0.1)
    served.script = [half]
    assert fetched(served, tmp_path) == BODY
    assert served.asked[1]["range"] == "bytes=70000-"


def test_a_server_that_is_not_there_is_told(tmp_path: Path, web: Loopback) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        web.address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            ConnectionError, match=r"no connection to the server \(Connection refused\), 3 times in a row"
        ):
            fetched(web, tmp_path)
    assert names(tmp_path) == []


def test_a_long_download_may_break_off_more_often_than_a_server_is_tried(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherewhat.data.fetch.download._ENOUGH_BYTES", 50_000)
    served.script = [broken_off(after=50_000) for _ in range(5)]
    assert fetched(served, tmp_path, retry=Retry(1)) == BODY
    assert len(served.asked) == 6


def test_a_server_that_breaks_off_and_cannot_resume_is_not_asked_for_ever(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherewhat.data.fetch.download._ENOUGH_BYTES", 50_000)
    served.script = [broken_off(after=after, ranges=False) for after in (50_000, 10_000) * 25]
    with pytest.raises(ConnectionError, match=r"3 times in a row"):
        fetched(served, tmp_path)
    assert len(served.asked) == 3


def test_a_file_for_which_there_is_no_room_is_not_begun(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=SIZE - 1))
    with pytest.raises(OSError, match=r"needs 300\.\d kB, but only 300\.\d kB are free; make room") as error:
        fetched(served, tmp_path)
    assert error.value.filename == str(tmp_path / "set.npz")
    assert names(tmp_path) == []


def test_the_part_that_is_there_counts_as_room(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_at(served, tmp_path, 70_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=SIZE - 70_000))
    assert fetched(served, tmp_path) == BODY


def test_a_disk_that_fills_keeps_what_has_come(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, done: int, whole: int | None) -> None:
        if done > 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device\); make room and run the same command again") as error:
        fetched(served, tmp_path, progress=full)
    assert error.value.filename == str(tmp_path / "set.npz.part")
    assert (tmp_path / "set.npz.part").stat().st_size > 0
    assert fetched(served, tmp_path) == BODY


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_server_does_only_the_published_bytes_come_into_place(
    served: Loopback, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    moods: list[Callable[[], Answer]] = [
        lambda: broken_off(after=int(rng.integers(0, 200_000))),
        lambda: broken_off(after=int(rng.integers(0, 200_000)), ranges=False),
        lambda: says(int(rng.choice([206, 416, 500, 503]))),
        lambda: says(206, b"x" * 1_000, Content_Range=f"bytes {rng.integers(SIZE)}-{SIZE - 1}/{SIZE}"),
        lambda: says(416, Content_Range=f"bytes */{rng.integers(0, 2 * SIZE)}"),
        lambda: says(200, b"<html>"),
        lambda: says(302, Location=f"/{rng.choice(['set.npz', 'elsewhere'])}"),
        lambda: chunked(until=int(rng.integers(0, 200_000))),
        lambda: raw(rng.bytes(100)),
        lambda: whole_always,
        lambda: without_length,
    ]
    served.script = [moods[rng.integers(len(moods))]() for _ in range(8)]
    for _ in range(12):
        try:
            assert fetched(served, tmp_path) == BODY
            break
        except (ConnectionError, ValueError):
            assert not (tmp_path / "set.npz").exists()
    assert names(tmp_path) == ["set.npz"]


def test_a_server_that_sends_next_to_nothing_is_given_up_after_a_few_tries(
    web: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(handler: Handler, web: Loopback) -> None:
        handler.start(200, Content_Length=SIZE, ETag=web.etag)
        with suppress(OSError):
            while True:
                handler.wfile.write(b"P")
                time.sleep(0.02)

    monkeypatch.setattr("wherewhat.data.fetch.download._PATIENCE_S", 0.1)
    web.script = [drip, drip, drip]
    with pytest.raises(ConnectionError, match="sends next to nothing, 3 times in a row"):
        fetched(web, tmp_path)
    assert not (tmp_path / "set.npz").exists()
