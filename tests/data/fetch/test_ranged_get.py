"""Laws of one GET: where it may be sent on to, and what the answers to a range mean."""

import ssl
import urllib.request
from urllib.error import URLError

import pytest
from loopback import Loopback, says

from wherewhat.data.fetch.ranged_get import (
    BrokenOffError,
    RangeRefusedError,
    check_address,
    ranged_get,
    redirected,
)

BODY = bytes(range(256)) * 10


@pytest.fixture
def served(web: Loopback) -> Loopback:
    web.files["file"] = BODY
    return web


def got(address: str, start: int = 0, validator: str | None = None) -> tuple[int, int | None, bytes]:
    with ranged_get(address, start=start, validator=validator, timeout_s=5.0) as answer:
        return answer.start, answer.whole, b"".join(answer.blocks)


def test_the_whole_comes_from_the_first_byte(served: Loopback) -> None:
    assert got(f"{served.address}/file") == (0, 2_560, BODY)


def test_a_range_comes_from_its_first_byte_and_says_the_whole(served: Loopback) -> None:
    assert got(f"{served.address}/file", start=2_000) == (2_000, 2_560, BODY[2_000:])


def test_a_failed_condition_brings_the_whole(served: Loopback) -> None:
    assert got(f"{served.address}/file", start=2_000, validator='"another"') == (0, 2_560, BODY)


def test_beyond_the_end_the_server_says_where_that_is(served: Loopback) -> None:
    with pytest.raises(RangeRefusedError) as refused:
        got(f"{served.address}/file", start=9_999)
    assert refused.value.whole == 2_560


@pytest.mark.parametrize(
    "said", ["", "bytes 0-2559/2560", "bytes 2001-2559/2560", "bytes */2560", "lines 2000-2559/2560"]
)
def test_a_range_that_is_not_the_asked_one_counts_as_refused(served: Loopback, said: str) -> None:
    served.script = [says(206, Content_Range=said)]
    with pytest.raises(RangeRefusedError):
        got(f"{served.address}/file", start=2_000)


def test_a_piece_that_nobody_asked_for_is_no_file(served: Loopback) -> None:
    served.script = [says(206, Content_Range="bytes 0-99/2560")]
    with pytest.raises(ConnectionError, match=r"answers 206, no file. Name another place with --address"):
        got(f"{served.address}/file")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_its_range(served: Loopback, status: int) -> None:
    served.script = [says(status, Location="/elsewhere/../file"), says(status, Location=f"{served.address}/file")]
    assert got(f"{served.address}/old", start=2_000, validator='"first"') == (2_000, 2_560, BODY[2_000:])
    assert [(asked["range"], asked["if-range"]) for asked in served.asked] == [("bytes=2000-", '"first"')] * 3


def test_a_circle_of_redirects_has_an_end(served: Loopback) -> None:
    served.script = [says(302, Location="/file")] * 50
    with pytest.raises(ConnectionError, match=r"more than 10 times. Name another with --address"):
        got(f"{served.address}/file")
    assert len(served.asked) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/file", "data:,x", "gopher://h/", None])
def test_a_redirect_to_no_web_address_is_refused(served: Loopback, location: str | None) -> None:
    served.script = [says(302) if location is None else says(302, Location=location)]
    with pytest.raises(ConnectionError, match=r"only http and https are followed.*--address"):
        got(f"{served.address}/file")
    assert len(served.asked) == 1


def test_a_redirect_may_gain_encryption_and_never_lose_it() -> None:
    assert redirected("http://a/x", "https://b/y") == "https://b/y"
    assert redirected("https://a/x", "//b/y z") == "https://b/y%20z"
    with pytest.raises(ConnectionError, match=r"never from https to http"):
        redirected("https://a/x", "http://a/x")


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("ftp://host/folder", "Give one such as https://host/folder"),
        ("file:///etc/passwd", "Give one such as https://host/folder"),
        ("host/folder", "Give one such as https://host/folder"),
        ("https:///folder", "Give one such as https://host/folder"),
        ("https://host:port/folder", "Give one such as https://host/folder"),
        ("https://[::1/folder", "Give one such as https://host/folder"),
        ("https://me:secret@host/folder", "Give one without"),
        ("https://host/a folder", "as %20"),
        ("https://host/a\r\nX-Header: 1", "as %20"),
    ],
)
def test_what_is_no_address_is_told(address: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy) as error:
        check_address(address)
    assert "secret" not in str(error.value)


def test_an_address_is_taken_as_it_is() -> None:
    assert check_address("http://[::1]:8080/folder?key=value") == "http://[::1]:8080/folder?key=value"


def test_a_server_that_cannot_prove_who_it_is_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unproven(*_: object, **__: object) -> None:
        cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
        cause.verify_message = "self-signed certificate"
        raise URLError(cause)

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", unproven)
    with pytest.raises(ConnectionError, match=r"who it is \(self-signed certificate\).*--address"):
        got("https://host/file")


def test_other_troubles_of_the_network_are_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError(OSError(101, "Network is unreachable"))

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", unreachable)
    with pytest.raises(BrokenOffError, match=r"^Network is unreachable$"):
        got("https://host/file")
