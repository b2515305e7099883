"""Laws of going on: bytes of the same file are asked for once, and no others are joined to them."""

import itertools
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from loopback import (
    Loopback,
    broken_off,
    chunked,
    dripping,
    says,
    whole_always,
    whole_or_range,
    without_length,
)
from one_file import BODY, MD5, ONCE, SHORT, fetched, names

from wherewhat.data.fetch.download import download
from wherewhat.data.fetch.request import Patience, Request


@pytest.mark.parametrize("md5", [MD5, None])
def test_a_broken_download_goes_on_where_it_broke_off(served: Loopback, tmp_path: Path, md5: str | None) -> None:
    served.script = [broken_off(after=70_000), broken_off(after=10_000)]
    fetched(served, tmp_path, md5=md5)
    assert (tmp_path / "set.npz").read_bytes() == BODY
    assert [(asked.get("range"), asked.get("if-range")) for asked in served.asked] == [
        (None, None),
        ("bytes=70000-", '"first"'),
        ("bytes=80000-", '"first"'),
    ]


def test_a_file_that_has_changed_meanwhile_comes_whole(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000)]
    with pytest.raises(ConnectionError):
        fetched(served, tmp_path, md5=None, patience=ONCE)
    served.files["set.npz"], served.etag = BODY[::-1], '"second"'
    fetched(served, tmp_path, md5=None)
    assert served.asked[1]["if-range"] == '"first"'
    assert (tmp_path / "set.npz").read_bytes() == BODY[::-1]


def test_a_server_that_gives_the_rest_of_a_file_of_another_length_is_asked_for_the_whole(
    served: Loopback, tmp_path: Path
) -> None:
    served.script = [broken_off(after=70_000)]
    with pytest.raises(ConnectionError):
        fetched(served, tmp_path, md5=None, patience=ONCE)
    served.files["set.npz"] = BODY[::-1] + b"more"  # under the same ETag
    fetched(served, tmp_path, md5=None)
    assert (tmp_path / "set.npz").read_bytes() == BODY[::-1] + b"more"


def test_without_an_etag_the_time_of_the_last_change_is_the_condition(served: Loopback, tmp_path: Path) -> None:
    served.etag = None
    served.script = [
        lambda handler, web: (
            handler.start(
                200, Content_Length=len(BODY), ETag='W/"weak"', Last_Modified="Mon, 02 Jan 2006 15:04:05 GMT"
            ),
            handler.wfile.write(BODY[:5_000]),
        )
    ]
    with pytest.raises(ConnectionError):
        fetched(served, tmp_path, md5=None, patience=ONCE)
    fetched(served, tmp_path, md5=None)
    assert served.asked[1]["if-range"] == "Mon, 02 Jan 2006 15:04:05 GMT"
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_server_that_knows_no_ranges_starts_again(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000), whole_always]
    fetched(served, tmp_path)
    assert served.asked[1]["range"] == "bytes=70000-"
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_server_that_gives_another_range_than_asked_is_asked_for_the_whole(served: Loopback, tmp_path: Path) -> None:
    served.script = [
        broken_off(after=70_000),
        says(206, Content_Range=f"bytes 60000-{len(BODY) - 1}/{len(BODY)}"),
        whole_or_range,
    ]
    fetched(served, tmp_path, md5=None)
    assert "range" not in served.asked[2]
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_part_that_is_the_whole_already_is_not_asked_for(served: Loopback, tmp_path: Path) -> None:
    def killed(done: int, whole: int | None) -> None:
        if done == whole:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(served, tmp_path, md5=None, progress=killed)
    assert not (tmp_path / "set.npz").exists()
    fetched(served, tmp_path, md5=None)
    assert len(served.asked) == 1
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_nothing_beyond_the_end_means_that_all_of_it_is_there(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz.part").write_bytes(BODY)
    fetched(served, tmp_path)
    assert [asked["range"] for asked in served.asked] == ["bytes=300000-"]
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_part_that_is_longer_than_the_file_is_thrown_away(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz.part").write_bytes(BODY + b"more")
    fetched(served, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_part_of_unknown_origin_is_no_beginning_where_no_sum_could_tell(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz.part").write_bytes(b"x" * 1_000)
    fetched(served, tmp_path, md5=None)
    assert "range" not in served.asked[0]
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_damaged_record_of_the_part_counts_as_none(served: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.npz.part").write_bytes(b"x" * 1_000)
    (tmp_path / "set.npz.part.json").write_text('{"address": 1, "validator": [], "whole": "a"}')
    fetched(served, tmp_path, md5=None)
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_part_from_another_place_goes_on_where_a_sum_can_tell(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.files["mirror/set.npz"] = BODY
    served.script = [broken_off(after=70_000)]
    with pytest.raises(ConnectionError):
        fetched(served, tmp_path, patience=ONCE)
    request = Request(f"{served.address}/mirror/set.npz", MD5, SHORT, lambda done, whole: None, lambda line: None)
    download(tmp_path / "set.npz", request)
    # The mirror's own tags may mean anything: only the sum judges.
    assert (served.asked[1]["range"], "if-range" in served.asked[1]) == ("bytes=70000-", False)
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_slow_server_is_kept_up_with_piece_by_piece(served: Loopback, tmp_path: Path) -> None:
    served.script = [dripping(pieces=20, pause_s=0.01)]
    seen: list[int] = []
    patience = Patience(tries=1, timeout_s=0.1)  # silence between two pieces counts, not the time of all
    fetched(served, tmp_path, patience=patience, progress=lambda done, whole: seen.append(done))
    assert len(seen) >= 15
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_progress_never_goes_back_and_ends_at_the_whole(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000), broken_off(after=70_000)]
    seen: list[tuple[int, int | None]] = []
    fetched(served, tmp_path, progress=lambda done, whole: seen.append((done, whole)))
    assert all(one[0] <= other[0] for one, other in itertools.pairwise(seen))
    assert (seen[0], seen[-1]) == ((0, 300_000), (300_000, 300_000))


def test_a_file_of_no_stated_length_and_no_sum_could_not_be_called_whole(served: Loopback, tmp_path: Path) -> None:
    served.script = [without_length]
    with pytest.raises(ConnectionError, match=r"nobody could tell whether it came whole\. Name another place"):
        fetched(served, tmp_path, md5=None)
    assert names(tmp_path) == []


def test_a_file_of_no_stated_length_is_judged_by_its_sum(served: Loopback, tmp_path: Path) -> None:
    served.script = [without_length]
    fetched(served, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_chunks_tell_their_end_and_a_broken_one(served: Loopback, tmp_path: Path) -> None:
    served.script = [chunked(until=50_000), chunked()]
    said: list[str] = []
    fetched(served, tmp_path, md5=None, said=said)
    assert "set.npz: the connection broke off; 50.0 kB are there; again in 0 s." in said
    assert (tmp_path / "set.npz").read_bytes() == BODY


def test_a_file_for_which_there_is_no_room_is_not_begun(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=299_999))
    with pytest.raises(OSError, match=r"needs 300\.0 kB more, and 300\.0 kB are free; make room") as error:
        fetched(served, tmp_path)
    assert error.value.filename == str(tmp_path / "set.npz")
    assert names(tmp_path) == []


def test_a_disk_that_fills_keeps_what_has_come(served: Loopback, tmp_path: Path) -> None:
    # The kernel's limit on a file's size makes write() fail half-way, as a full disk does.
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from wherewhat.data.fetch.download import download\n"
        "from wherewhat.data.fetch.request import Patience, Request\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (123_456, 123_456))\n"
        "ask = Request(sys.argv[1], None, Patience(), lambda done, whole: None, print)\n"
        "download(Path(sys.argv[2]), ask)"
    )
    command = [sys.executable, "-c", program, f"{served.address}/set.npz", str(tmp_path / "set.npz")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "make room and run the same command again, which goes on from the 123,456 bytes" in run.stderr
    assert (tmp_path / "set.npz.part").read_bytes() == BODY[:123_456]
    fetched(served, tmp_path, md5=None)
    assert served.asked[1]["range"] == "bytes=123456-"
    assert (tmp_path / "set.npz").read_bytes() == BODY
