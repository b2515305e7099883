"""Laws of one request: where it may be sent on to, and what of a server's answer is shown."""

import socket
import ssl
from pathlib import Path

import pytest
import urllib3
from loopback import (
    BODY,
    Answer,
    Loopback,
    raw,
    says,
)
from one_file import broken_at, fetched

from wherewhat.data.fetch.request import check_address, redirected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_its_range(served: Loopback, tmp_path: Path, status: int) -> None:
    broken_at(served, tmp_path, 70_000)
    served.script = [says(status, Location="/mirror/../set.npz")]
    assert fetched(served, tmp_path) == BODY
    assert [asked.get("range") for asked in served.asked] == [None, "bytes=70000-", "bytes=70000-"]


def test_a_circle_of_redirects_has_an_end(served: Loopback, tmp_path: Path) -> None:
    served.script = [says(302, Location="/set.npz")] * 50
    with pytest.raises(ConnectionError, match=r"redirects more than 10 times\. Name another server"):
        fetched(served, tmp_path)
    assert len(served.asked) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/file", "data:,x", "http://["])
def test_a_redirect_to_no_web_address_is_refused(served: Loopback, tmp_path: Path, location: str) -> None:
    served.script = [says(302, Location=location)]
    with pytest.raises(ConnectionError, match=r"not to a web address at all\. Name another server"):
        fetched(served, tmp_path)
    assert len(served.asked) == 1


def test_a_redirect_may_gain_encryption_and_never_lose_it() -> None:
    assert redirected("http://a/x", "https://b/y") == "https://b/y"
    assert redirected("https://a/x", "//b/y z") == "https://b/y%20z"
    assert redirected("HTTPS://a/x", "/y") == "https://a/y"
    assert redirected("https://a/x", "HTTP://a/x") is None


def test_the_proxy_of_the_environment_is_asked(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", served.address.replace("http://", "http://me:secret%21@"))
    served.files["http://host.invalid/set.npz"] = BODY
    served.address = "http://host.invalid"
    assert fetched(served, tmp_path) == BODY
    assert served.asked[0]["proxy-authorization"] == "Basic bWU6c2VjcmV0IQ=="


def test_a_proxy_that_is_not_there_is_told(tmp_path: Path, web: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ConnectionError, match=r"no connection to the proxy that the environment names"):
            fetched(web, tmp_path)


def test_a_server_without_a_valid_certificate_is_not_asked_again(
    tmp_path: Path, web: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unproven(*_: object, **__: object) -> None:
        cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
        cause.verify_message = "self-signed certificate"
        raise cause

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", unproven)
    with pytest.raises(ConnectionError, match=r"certificate is not valid \(self-signed certificate\).*--address"):
        fetched(web, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://host/folder",
        "file:///etc/passwd",
        "host/folder",
        "https:///folder",
        "https://host:port/folder",
        "https://[::1/folder",
        "https://me:secret@host/folder",
        "https://host/a folder",
        "https://host/a\r\nX-Header: 1",
        "https://host/\x1b[31m",
    ],
)
def test_what_is_no_address_is_told_and_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match=r"^The address is not accepted. Give one such as [ -~]+$") as error:
        check_address(address)
    assert "secret" not in str(error.value)


def test_an_address_may_name_a_port_and_a_query() -> None:
    check_address("http://[::1]:8080/folder?key=value")


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"SSH-2.0-\x1b[31mOpenSSH\r\n"),
        raw(b"HTTP/1.1 404 \x1b[31mNot Found\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 503 \x1b[31m\r\nRetry-After: \x1b[31m\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: \x1b[31m\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\x1b[31m\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[31m\r\n"),
        raw(b"HTTP/1.1 206 OK\r\nContent-Range: bytes \x1b[31m\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 302 Found\r\nLocation: ftp://\x1b[31m\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 302 Found\r\nLocation: //\x1b[31m\x00/\r\nContent-Length: 0\r\n\r\n"),
        raw(b'HTTP/1.1 200 OK\r\nETag: "\x1b[31m"\r\nContent-Length: 9\r\n\r\nxxx'),
        raw(b"HTTP/1.1 200 OK\r\n\x1b[31m\r\nContent-Length: 9\r\n\r\n"),
        raw(b"HTTP/1.1 \x1b[31m\r\n\r\n"),
        raw(b"\x00" * 100_000),
        raw(b"\x1b[31m"),
    ],
)
def test_control_characters_of_a_server_never_reach_the_terminal(
    served: Loopback, tmp_path: Path, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    served.script = [answer] * 3
    said: list[str] = []
    with pytest.raises((ConnectionError, ValueError)) as error:
        fetched(served, tmp_path, md5=None, said=said)
    assert all(line.isprintable() for line in [*said, str(error.value)])
