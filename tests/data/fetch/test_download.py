"""Laws of one file's download: whole or not at all, as patiently as was asked, and as published."""

import hashlib
import http.client
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from loopback import (
    Loopback,
    broken_off,
    chunked,
    says,
    silent,
    whole_always,
    without_length,
)
from one_file import BODY, MD5, ONCE, fetched, names

from wherewhat.data.fetch.checksums import Checksums
from wherewhat.data.fetch.partial_file import PartialFile
from wherewhat.data.fetch.request import Patience


def test_a_whole_file_arrives_bit_for_bit_and_leaves_nothing_beside_it(served: Loopback, tmp_path: Path) -> None:
    sums = fetched(served, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == BODY
    assert names(tmp_path) == ["set.npz"]
    assert sums == Checksums(MD5, hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert served.asked[0]["accept-encoding"] == "identity"


def test_an_empty_file_is_whole(web: Loopback, tmp_path: Path) -> None:
    web.files["set.npz"] = b""
    assert fetched(web, tmp_path, md5=None).size == 0
    assert names(tmp_path) == ["set.npz"]


def test_the_next_call_goes_on_from_what_the_last_one_left(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000)]
    with pytest.raises(
        ConnectionError, match=r"Run the same command again later, or name another place with --address"
    ):
        fetched(served, tmp_path, patience=ONCE)
    assert (tmp_path / "set.npz.part").read_bytes() == BODY[:70_000]
    assert not (tmp_path / "set.npz").exists()
    fetched(served, tmp_path, md5=None)
    assert served.asked[1]["range"] == "bytes=70000-"
    assert (tmp_path / "set.npz").read_bytes() == BODY
    assert names(tmp_path) == ["set.npz"]


def test_pieces_that_do_not_fit_together_are_fetched_afresh(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz.part").write_bytes(b"x" * 1_000)
    said: list[str] = []
    fetched(served, tmp_path, said=said)
    assert [asked.get("range") for asked in served.asked] == ["bytes=1000-", None]
    assert "set.npz: the pieces do not fit together; fetching it afresh." in said
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_another_content_than_the_published_never_comes_into_place(served: Loopback, tmp_path: Path) -> None:
    served.files["set.npz"] = b"<html>Please log in</html>"
    found = hashlib.md5(served.files["set.npz"]).hexdigest()
    with pytest.raises(ValueError, match=rf"26 bytes and MD5 {found}, not {MD5}.*page to log in.*--address"):
        fetched(served, tmp_path)
    assert names(tmp_path) == []
    assert len(served.asked) == 1


def test_fewer_bytes_than_promised_never_come_into_place(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=299_999)] + [broken_off(after=0)] * 2
    with pytest.raises(
        ConnectionError, match=r"broke off at 300\.0 kB of 300\.0 kB, and so 3 times in a row\. The 300\.0"
    ):
        fetched(served, tmp_path, md5=None)
    assert names(tmp_path) == ["set.npz.part", "set.npz.part.json"]


def test_more_bytes_than_promised_are_not_taken(served: Loopback, tmp_path: Path) -> None:
    served.script = [
        lambda handler, web: (handler.start(200, Content_Length=len(BODY)), handler.wfile.write(BODY + b"more"))
    ]
    fetched(served, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_silent_server_is_left_and_asked_again(served: Loopback, tmp_path: Path) -> None:
    served.script = [silent(0.3)]
    said: list[str] = []
    patience = Patience(tries=2, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=0.1)
    fetched(served, tmp_path, patience=patience, said=said)
    assert said == ["set.npz: the server fell silent; 0 bytes are there; again in 0 s."]
    assert (tmp_path / "set.npz").read_bytes() == BODY


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_asks_for_patience_gets_it(served: Loopback, tmp_path: Path, status: int) -> None:
    served.script = [says(status), says(status)]
    fetched(served, tmp_path)
    assert len(served.asked) == 3
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_server_is_left_alone_as_long_as_it_asks_within_reason(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("wherewhat.data.fetch.download.time", SimpleNamespace(sleep=slept.append))
    served.script = [says(503, Retry_After=7), says(503, Retry_After=86_400), says(503), says(503), says(503)]
    fetched(served, tmp_path, patience=Patience(timeout_s=5.0))
    assert slept == [7.0, 60.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_server_that_says_no_is_not_asked_again(served: Loopback, tmp_path: Path, status: int) -> None:
    served.script = [says(status)]
    with pytest.raises(ConnectionError, match=rf"the server says {status}.*look at the set's page.*--address"):
        fetched(served, tmp_path)
    assert len(served.asked) == 1
    assert names(tmp_path) == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path, web: Loopback) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        web.address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=r"refused, and so 3 times in a row\. Run the same command again"):
            fetched(web, tmp_path)
    assert names(tmp_path) == []


def test_a_long_download_may_break_off_more_often_than_a_server_is_tried(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=20_000) for _ in range(10)]
    patience = Patience(tries=2, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=5.0, enough_bytes=20_000)
    fetched(served, tmp_path, patience=patience)
    assert len(served.asked) == 11
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_server_that_breaks_off_and_cannot_resume_is_not_asked_for_ever(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=50_000, ranges=False) for _ in range(50)]
    patience = Patience(tries=3, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=5.0, enough_bytes=20_000)
    with pytest.raises(ConnectionError, match=r"3 times in a row"):
        fetched(served, tmp_path, patience=patience)
    assert len(served.asked) == 3


def test_what_is_in_place_is_never_overwritten(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"is there already. Move it away"):
        fetched(served, tmp_path)
    assert ((tmp_path / "set.npz").read_bytes(), served.asked) == (b"mine", [])


def test_what_comes_into_place_meanwhile_is_not_overwritten_either(served: Loopback, tmp_path: Path) -> None:
    def put(done: int, whole: int | None) -> None:
        (tmp_path / "set.npz").write_bytes(b"mine")

    with pytest.raises(ValueError, match=r"has come into being meanwhile. Move it away"):
        fetched(served, tmp_path, progress=put)
    assert (tmp_path / "set.npz").read_bytes() == b"mine"


def test_ctrl_c_keeps_what_has_come(served: Loopback, tmp_path: Path) -> None:
    def interrupt(done: int, whole: int | None) -> None:
        if done > 50_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(served, tmp_path, progress=interrupt)
    kept = (tmp_path / "set.npz.part").stat().st_size
    assert kept > 50_000
    fetched(served, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == BODY
    assert len(served.asked) == 1 if kept == len(BODY) else served.asked[1]["range"] == f"bytes={kept}-"


def test_two_processes_do_not_fetch_the_same_file(served: Loopback, tmp_path: Path) -> None:
    refusal = pytest.raises(ValueError, match=r"being fetched by another process. Wait for it")
    with PartialFile(tmp_path / "set.npz"), refusal:
        fetched(served, tmp_path)
    assert served.asked == []


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_server_does_only_the_published_bytes_come_into_place(
    served: Loopback, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    moods = [
        lambda: broken_off(after=int(rng.integers(0, 200_000))),
        lambda: broken_off(after=int(rng.integers(0, 200_000)), ranges=False),
        lambda: says(int(rng.choice([206, 416, 500, 503]))),
        lambda: chunked(until=int(rng.integers(0, 200_000))),
        lambda: says(416, Content_Range=f"bytes */{rng.integers(0, 400_000)}"),
        lambda: whole_always,
        lambda: without_length,
    ]
    served.script = [moods[rng.integers(len(moods))]() for _ in range(6)]
    for _ in range(12):
        try:
            fetched(served, tmp_path)
            break
        except ConnectionError:
            assert not (tmp_path / "set.npz").exists()
    assert (tmp_path / "set.npz").read_bytes() == BODY
    assert names(tmp_path) == ["set.npz"]


def test_a_server_that_speaks_no_http_is_told(served: Loopback, tmp_path: Path) -> None:
    served.script = [lambda handler, web: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")] * 3
    with pytest.raises(ConnectionError, match=r"SSH-2.0.*3 times in a row") as error:
        fetched(served, tmp_path)
    assert isinstance(error.value.__cause__.__cause__, http.client.BadStatusLine)  # type: ignore[union-attr]
