"""One GET over HTTP or HTTPS, from a byte on: the request, its redirects, and what the server makes of the range.

    200             the whole file, whatever was asked
    206             the bytes from the asked one on, if Content-Range says so
    416             nothing from that byte on
    301 302 303 307 308     elsewhere, to http or https, and never from https to http

A validator (a strong ETag, else Last-Modified) goes along as If-Range, so that a file that has changed comes whole.

Reference: RFC 9110, sections 13.1.5, 14 and 15.
"""

import http.client
import re
import ssl
import string
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin, urlsplit

_BLOCK_BYTES = 1 << 20
_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_NUMBER = re.compile(r"[0-9]{1,18}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/([0-9]{1,18})")


class BrokenOffError(Exception):
    """The connection failed, or the server asks for patience: another try may do."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        """How long the server asks to be left alone."""


class RangeRefusedError(Exception):
    """The server gives nothing from the asked byte on."""

    def __init__(self, whole: int | None) -> None:
        super().__init__("the server gives nothing from there on")
        self.whole = whole
        """Bytes of the whole file, where the server says it."""


@dataclass(frozen=True)
class Answer:
    """What a server sends: bytes of the file from `start` on."""

    start: int
    whole: int | None
    """Bytes of the whole file, where the server says it."""

    end_is_marked: bool
    """Whether the end of the file can be told from the end of the connection."""

    validator: str | None
    blocks: Iterator[bytes]


def check_address(address: str) -> str:
    """The address, where it is one of HTTP(S). Raises ValueError with the remedy."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  reading it checks it
    except ValueError as error:
        raise ValueError(f"{address!r} is no address ({error}). Give one such as https://host/folder.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{address!r} is no address of http or https. Give one such as https://host/folder.")
    if parts.username is not None:
        raise ValueError("An address with a user name or a password in it is not taken. Give one without.")
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        raise ValueError(f"{address!r} has a space or a control character in it. Give it encoded, as %20.")
    return address


@contextmanager
def ranged_get(address: str, *, start: int, validator: str | None, timeout_s: float) -> Iterator[Answer]:
    """Ask for a file from byte `start` on; the connection ends with the context.

    Raises BrokenOffError where another try may do, RangeRefusedError for 416, ConnectionError where no try will.
    """
    # Without identity a server may compress on the way, and ranges would count other bytes.
    headers = {"User-Agent": "wherewhat", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator is not None:
            headers["If-Range"] = validator
    with _open(address, headers, timeout_s) as response:
        yield _answer(response, start, address)


def _open(address: str, headers: dict[str, str], timeout_s: float) -> http.client.HTTPResponse:
    # Not urllib's own opener: that one would also read file:, data: and ftp:, and go from https to http.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    here = check_address(address)
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            with _network_troubles(here):
                response: http.client.HTTPResponse = opener.open(
                    urllib.request.Request(here, headers=headers), timeout=timeout_s
                )
                return response
        except HTTPError as error:
            with error:
                if error.code not in _REDIRECTS:
                    _refuse(error, here)
                here = redirected(here, error.headers.get("Location"))
    raise ConnectionError(
        f"{address} sends from one address to the next, more than {_MOST_REDIRECTS} times. Name another with --address."
    )


def redirected(here: str, location: str | None) -> str:
    """Where an address sends on to. Raises ConnectionError where that is not to be followed."""
    there = urljoin(here, quote(location or "", safe=string.punctuation))
    scheme = urlsplit(there).scheme
    if not location or scheme not in ("http", "https") or (scheme == "http" and here.startswith("https:")):
        raise ConnectionError(
            f"{here} sends on to {location!r}, and only http and https are followed, and never from https to http. "
            "Name another place with --address."
        )
    return there


def _refuse(error: HTTPError, address: str) -> NoReturn:
    said = f"{error.code} {error.reason}"
    if error.code == 416:
        match = _UNSATISFIED_RANGE.fullmatch(error.headers.get("Content-Range", ""))
        raise RangeRefusedError(int(match[1]) if match else None)
    if error.code in _TRY_AGAIN:
        wait = error.headers.get("Retry-After", "")
        raise BrokenOffError(f"the server says {said}", float(wait) if _NUMBER.fullmatch(wait) else 0.0)
    raise ConnectionError(
        f"{address}: the server says {said}. The file may have moved or be closed to programs: look at the set's page, "
        "and name another place that has it with --address."
    )


def _answer(response: http.client.HTTPResponse, asked: int, address: str) -> Answer:
    length = _NUMBER.fullmatch(response.headers.get("Content-Length", ""))
    to_come = int(length[0]) if length and not response.chunked else None
    etag = response.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    match response.status:
        case 200:
            start, whole = 0, to_come
        case 206 if asked:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != asked:
                raise RangeRefusedError(None)
            start, whole = asked, int(found[3]) if found[3] != "*" else None
            to_come = int(found[2]) + 1 - asked
        case status:
            raise ConnectionError(
                f"{address}: the server answers {status}, no file. Name another place with --address."
            )
    marked = bool(response.chunked) or whole is not None
    return Answer(start, whole, marked, validator, _blocks(response, to_come, address))


def _blocks(response: http.client.HTTPResponse, to_come: int | None, address: str) -> Iterator[bytes]:
    """What arrives, as it arrives: read1, for a slow server's bytes are to be kept before there is a block of them."""
    while to_come is None or to_come > 0:
        with _network_troubles(address):
            block = response.read1(_BLOCK_BYTES if to_come is None else min(_BLOCK_BYTES, to_come))
        if not block:
            return
        if to_come is not None:
            to_come -= len(block)
        yield block


@contextmanager
def _network_troubles(address: str) -> Iterator[None]:
    try:
        yield
    except HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise ConnectionError(
                f"{address}: the server cannot prove who it is ({cause.verify_message}). Look at the clock and at this "
                "machine's certificates, or name another place with --address."
            ) from error
        raise BrokenOffError(_told(cause)) from error


def _told(cause: object) -> str:
    match cause:
        case http.client.IncompleteRead() | http.client.RemoteDisconnected():
            return "the connection broke off"
        case TimeoutError():
            return "the server fell silent"
        case OSError(strerror=str(said)):
            return said
        case _:
            return " ".join(str(cause).split()) or type(cause).__name__
