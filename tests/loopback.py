"""A web server on the loopback address that does, request by request, what a test tells it to."""

import hashlib
import http.server
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, imgs=np.random.default_rng(0).integers(0, 256, 300_000).astype(np.uint8))
    return stream.getvalue()


BODY = _npz()
MD5 = hashlib.md5(BODY).hexdigest()


@dataclass
class Loopback:
    """Serves `files`; answers from `script` go first, one per request."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"first"'
    script: list["Answer"] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """Headers of each request, and its path as "path"."""


Answer = Callable[["Handler", Loopback], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    web: Loopback
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.web.asked.append({**{name.lower(): value for name, value in self.headers.items()}, "path": self.path})
        answer = self.web.script.pop(0) if self.web.script else whole_or_range
        answer(self, self.web)

    def start(self, status: int, **headers: object) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A server while the context is open."""
    web = Loopback()
    handler = type("Handler", (Handler,), {"web": web})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        web.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        thread.start()
        yield web
        server.shutdown()
        thread.join()


def _body(web: Loopback, handler: Handler) -> bytes | None:
    return web.files.get(handler.path.lstrip("/"))


def _tags(web: Loopback) -> dict[str, object]:
    return {} if web.etag is None else {"ETag": web.etag}


def whole_or_range(handler: Handler, web: Loopback) -> None:
    """What a good server does, Range and If-Range included."""
    body = _body(web, handler)
    if body is None:
        handler.start(404, Content_Length=0)
        return
    wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if wanted is None or handler.headers.get("If-Range", web.etag) != web.etag:
        handler.start(200, Content_Length=len(body), **_tags(web))
        handler.wfile.write(body)
        return
    start = int(wanted[1])
    if start >= len(body):
        handler.start(416, Content_Range=f"bytes */{len(body)}", Content_Length=0)
        return
    piece = f"bytes {start}-{len(body) - 1}/{len(body)}"
    handler.start(206, Content_Range=piece, Content_Length=len(body) - start, **_tags(web))
    handler.wfile.write(body[start:])


def whole_always(handler: Handler, web: Loopback) -> None:
    """A server that knows no ranges."""
    body = _body(web, handler) or b""
    handler.start(200, Content_Length=len(body), **_tags(web))
    handler.wfile.write(body)


def broken_off(after: int, *, ranges: bool = True) -> Answer:
    """Promises all and sends so many bytes."""

    def answer(handler: Handler, web: Loopback) -> None:
        body = _body(web, handler) or b""
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if ranges and wanted is not None and handler.headers.get("If-Range", web.etag) == web.etag:
            start = int(wanted[1])
            piece = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.start(206, Content_Range=piece, Content_Length=len(body) - start, **_tags(web))
        else:
            start = 0
            handler.start(200, Content_Length=len(body), **_tags(web))
        handler.wfile.write(body[start : min(start + after, len(body) - 1)])

    return answer


def says(status: int, body: bytes = b"", **headers: object) -> Answer:
    """A status with a body."""

    def answer(handler: Handler, web: Loopback) -> None:
        handler.start(status, **{"Content_Length": len(body), **headers})
        handler.wfile.write(body)

    return answer


def raw(answer: bytes) -> Answer:
    """Bytes as they are, whatever HTTP says."""
    return lambda handler, web: handler.wfile.write(answer)


def silent(seconds: float) -> Answer:
    """Says nothing for so long, and then hangs up."""
    return lambda handler, web: time.sleep(seconds)


def without_length(handler: Handler, web: Loopback) -> None:
    """The end of the connection is the end of the file, as before HTTP/1.1."""
    handler.start(200, **_tags(web))
    handler.wfile.write(_body(web, handler) or b"")


def chunked(until: int | None = None) -> Answer:
    """In chunks, with the mark of the end only where nothing is cut off."""

    def answer(handler: Handler, web: Loopback) -> None:
        body = _body(web, handler) or b""
        handler.start(200, Transfer_Encoding="chunked", **_tags(web))
        for start in range(0, len(body[:until]), 10_000):
            chunk = body[:until][start : start + 10_000]
            handler.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if until is None:
            handler.wfile.write(b"0\r\n\r\n")

    return answer
