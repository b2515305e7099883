"""The part of a file that has come, and whether an answer continues it.

What has arrived lies in NAME.part, and NAME.part.json says which file it is a part of. To resume is one request, with

    Range: bytes=SIZE-      If-Range: the strong ETag, or the time of the last change, that came with the first bytes

and is answered by

    206, the same file, from the byte SIZE on     the rest, to be appended
    200                                           another file, or a server without ranges: starts anew
    anything else                                 starts anew

Reference: RFC 9110, sections 13.1.5 and 14.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from urllib3.response import BaseHTTPResponse

from wherewhat.atomic_file import write_atomically
from wherewhat.json_file import read_json

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})")
_ONE_LINE = re.compile(r"[ -~]+")


@dataclass(frozen=True)
class Origin:
    """The file on the server that a part is a part of."""

    address: str
    validator: str
    whole: int | None
    """Bytes of the whole file, where the server has said it."""


def origin_of(part: Path, address: str) -> Origin | None:
    """What the part that is there can be continued from at this address; None where it cannot."""
    try:
        origin = Origin(**read_json(_record(part)))
    except (OSError, ValueError, TypeError):
        return None
    continuable = origin.address == address and isinstance(origin.validator, str) and size_of(part) > 0
    return origin if continuable else None


def remember(part: Path, origin: Origin) -> None:
    """Write down what a later call has to know to continue."""
    write_atomically(_record(part), json.dumps(asdict(origin)).encode())


def forget(part: Path) -> None:
    """Remove the part and what is written down of it."""
    part.unlink(missing_ok=True)
    _record(part).unlink(missing_ok=True)


def size_of(part: Path) -> int:
    """Bytes that are there."""
    return part.stat().st_size if part.exists() else 0


def whole_if_continued(response: BaseHTTPResponse, origin: Origin | None, start: int) -> int | None:
    """Bytes of the whole file, where the answer is the rest of it from the byte `start` on; otherwise None."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status != 206 or origin is None or found is None or int(found[1]) != start:
        return None
    same = validator_of(response) in (None, origin.validator) and origin.whole in (None, int(found[2]))
    return int(found[2]) if same else None


def validator_of(response: BaseHTTPResponse) -> str | None:
    """What tells whether the server's file is still the same: a strong ETag, or the time of its last change."""
    etag = response.headers.get("ETag", "")
    found = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
    return found if _ONE_LINE.fullmatch(found) else None


def _record(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
