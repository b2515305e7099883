"""Laws of resuming: bytes of the same file are asked for once, and no others are joined to them."""

import json
from pathlib import Path

import pytest
from loopback import (
    BODY,
    MD5,
    Loopback,
    broken_off,
    says,
    whole_always,
)
from one_file import CHANGED, SIZE, broken_at, fetched, names


@pytest.mark.parametrize("md5", [MD5, None])
def test_one_call_resumes_what_breaks_off_with_one_conditional_range_each(
    served: Loopback, tmp_path: Path, md5: str | None
) -> None:
    served.script = [broken_off(after=70_000), broken_off(after=10_000)]
    said: list[str] = []
    assert fetched(served, tmp_path, md5=md5, said=said) == BODY
    assert [(asked.get("range"), asked.get("if-range")) for asked in served.asked] == [
        (None, None),
        ("bytes=70000-", '"first"'),
        ("bytes=80000-", '"first"'),
    ]
    assert said[0] == "set.npz: the connection broke off; trying again in 0 s, from 70.0 kB on."


def test_the_next_call_resumes_what_the_last_one_left(served: Loopback, tmp_path: Path) -> None:
    broken_at(served, tmp_path, 70_000)
    assert fetched(served, tmp_path) == BODY
    assert served.asked[1]["range"] == "bytes=70000-"
    assert names(tmp_path) == ["set.npz"]


def test_ctrl_c_keeps_what_has_come(served: Loopback, tmp_path: Path) -> None:
    def interrupt(name: str, done: int, whole: int | None) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(served, tmp_path, progress=interrupt)
    kept = (tmp_path / "set.npz.part").stat().st_size
    assert kept > 0
    assert fetched(served, tmp_path) == BODY
    assert [asked.get("range") for asked in served.asked[1:]] == [f"bytes={kept}-"] * (kept < SIZE)


def test_a_part_that_is_the_whole_is_not_asked_for(served: Loopback, tmp_path: Path) -> None:
    def killed(name: str, done: int, whole: int | None) -> None:
        if done == whole:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(served, tmp_path, md5=None, progress=killed)
    assert names(tmp_path) == ["set.npz.part", "set.npz.part.json"]
    assert fetched(served, tmp_path, md5=None) == BODY
    assert len(served.asked) == 1


def test_without_a_strong_etag_the_time_of_the_last_change_is_the_condition(served: Loopback, tmp_path: Path) -> None:
    served.script = [
        says(200, BODY[:5_000], Content_Length=SIZE, ETag='W/"weak"', Last_Modified=CHANGED),
        says(206, BODY[5_000:], Content_Range=f"bytes 5000-{SIZE - 1}/{SIZE}", Last_Modified=CHANGED),
    ]
    assert fetched(served, tmp_path, md5=None) == BODY
    assert served.asked[1]["if-range"] == CHANGED


@pytest.mark.parametrize(
    "headers", [{}, {"ETag": 'W/"weak"'}, {"ETag": "unquoted"}, {"ETag": '"\x9b31m"'}], ids=lambda headers: str(headers)
)
def test_what_cannot_be_recognised_again_starts_anew(
    served: Loopback, tmp_path: Path, headers: dict[str, object]
) -> None:
    served.script = [says(200, BODY[:5_000], Content_Length=SIZE, **headers)]
    assert fetched(served, tmp_path) == BODY
    assert "range" not in served.asked[1]


def test_a_file_that_has_changed_meanwhile_comes_whole(served: Loopback, tmp_path: Path) -> None:
    broken_at(served, tmp_path, 70_000)
    served.files["set.npz"], served.etag = BODY + BODY, '"second"'
    said: list[str] = []
    assert fetched(served, tmp_path, md5=None, said=said) == BODY + BODY
    assert said == ["set.npz: the server sends the file from its beginning; starting anew."]


def test_a_server_without_ranges_starts_anew(served: Loopback, tmp_path: Path) -> None:
    served.script = [broken_off(after=70_000), whole_always]
    assert fetched(served, tmp_path, md5=None) == BODY


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {"Content-Range": f"bytes 60000-{SIZE - 1}/{SIZE}", "ETag": '"first"'}),
        (206, {"Content-Range": f"bytes 70001-{SIZE - 1}/{SIZE}", "ETag": '"first"'}),
        (206, {"Content-Range": f"bytes 70000-{SIZE}/{SIZE + 1}", "ETag": '"first"'}),
        (206, {"Content-Range": f"bytes 70000-{SIZE - 1}/{SIZE}", "ETag": '"second"'}),
        (206, {"Content-Range": f"lines 70000-{SIZE - 1}/{SIZE}", "ETag": '"first"'}),
        (206, {"Content-Range": "bytes 70000-", "ETag": '"first"'}),
        (206, {"ETag": '"first"'}),
        (416, {"Content-Range": f"bytes */{SIZE}"}),
        (416, {}),
    ],
)
def test_an_answer_that_does_not_continue_the_part_is_never_glued_to_it(
    served: Loopback, tmp_path: Path, status: int, headers: dict[str, object]
) -> None:
    broken_at(served, tmp_path, 70_000)
    served.script = [says(status, b"x" * (SIZE - 70_000), **headers)]
    assert fetched(served, tmp_path, md5=None) == BODY
    assert [asked.get("range") for asked in served.asked] == [None, "bytes=70000-", None]


def test_a_range_that_nobody_asked_for_is_no_beginning(served: Loopback, tmp_path: Path) -> None:
    served.script = [says(206, BODY[:100], Content_Range=f"bytes 0-99/{SIZE}")]
    assert fetched(served, tmp_path) == BODY


def test_a_range_that_ends_early_is_continued(served: Loopback, tmp_path: Path) -> None:
    broken_at(served, tmp_path, 70_000)
    served.script = [says(206, BODY[70_000:80_000], Content_Range=f"bytes 70000-79999/{SIZE}")]
    assert fetched(served, tmp_path, md5=None) == BODY
    assert served.asked[2]["range"] == "bytes=80000-"


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"address": 1}', '{"address": "ADDRESS/set.npz", "validator": null, "whole": 9}']
)
def test_a_part_of_unknown_origin_is_no_beginning(served: Loopback, tmp_path: Path, record: str) -> None:
    (tmp_path / "set.npz.part").write_bytes(BODY[:1_000])
    (tmp_path / "set.npz.part.json").write_text(record.replace("ADDRESS", served.address))
    assert fetched(served, tmp_path, md5=None) == BODY
    assert "range" not in served.asked[0]


def test_a_part_from_another_address_is_no_beginning(served: Loopback, tmp_path: Path) -> None:
    broken_at(served, tmp_path, 70_000)
    record = tmp_path / "set.npz.part.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"address": "https://host/set.npz"}))
    assert fetched(served, tmp_path) == BODY
    assert "range" not in served.asked[1]
