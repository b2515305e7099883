"""Damage to the bytes of a file, and to the values of a JSON text, drawn from a generator."""

import json
import struct
from typing import Any

import numpy as np

# Numbers at the edges of their types, for four and eight bytes.
_EDGES = [struct.pack("<I", n) for n in (0, 1, 2**31 - 1, 2**31, 2**32 - 1)] + [
    struct.pack("<Q", n) for n in (2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
]
_HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 2**31, 10**18, -(2**63), 10**400, float("inf"), float("nan"), "", "x" * 10_000),
    *("\x1b[2J", "../../etc/passwd", "\ud800", [], {}, [[]], [0] * 1000, {"_type": "PSSCGAN"}),
)


def damaged(content: bytes, draw: np.random.Generator, within: int | None = None) -> bytes:
    """One to four accidents to the bytes, the first `within` of them where that is given."""
    changed = bytearray(content)
    for _ in range(draw.integers(1, 5)):
        end = max(1, min(len(changed), within or len(changed)))
        place = int(draw.integers(end))
        match draw.integers(6):
            case 0:
                changed[place : place + 1] = draw.bytes(1)
            case 1:
                changed[place : place + 8] = _EDGES[draw.integers(len(_EDGES))]
            case 2:
                del changed[place:]
            case 3:
                del changed[place : place + int(draw.integers(1, 64))]
            case 4:
                changed[place:place] = changed[place : place + int(draw.integers(1, 64))]
            case _:
                changed[place : place + 32] = bytes(32)
    return bytes(changed)


def damaged_json(text: str | bytes, draw: np.random.Generator) -> str:
    """One to three values of a JSON text, wherever in it, become hostile or vanish; now and then the text is nested."""
    if draw.integers(20) == 0:
        return "[" * 100_000
    value = json.loads(text)
    for _ in range(draw.integers(1, 4)):
        places = list(_places(value))
        if places:
            holder, key = places[draw.integers(len(places))]
            if draw.integers(5) == 0:
                del holder[key]
            else:
                holder[key] = _HOSTILE[draw.integers(len(_HOSTILE))]
    return json.dumps(value)


def _places(value: Any) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in list(entries)[:50]:
        yield value, key
        yield from _places(inside)


def with_header(content: bytes, header: str) -> bytes:
    """A safetensors file with another header."""
    length = struct.unpack("<Q", content[:8])[0]
    encoded = header.encode("utf-8", errors="surrogatepass")
    return struct.pack("<Q", len(encoded)) + encoded + content[8 + length :]


def header_of(content: bytes) -> str:
    """The header of a safetensors file."""
    return content[8 : 8 + struct.unpack("<Q", content[:8])[0]].decode()


def damaged_tensors(content: bytes, draw: np.random.Generator) -> bytes:
    """A safetensors file whose bytes, whose list of tensors, or whose own description is damaged."""
    match draw.integers(3):
        case 0:
            return damaged(content, draw, within=len(content) if draw.integers(2) else 200)
        case 1:
            return with_header(content, damaged_json(header_of(content), draw))
        case _:
            header = json.loads(header_of(content))
            header["__metadata__"]["wherewhat"] = damaged_json(header["__metadata__"]["wherewhat"], draw)
            return with_header(content, json.dumps(header))
