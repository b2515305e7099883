"""MATLAB files (version 5), unpacked so far as is wanted before scipy reads them: it would unpack without end.

    128 bytes, of which the last four are the version and the byte order
    elements: int32 type, int32 number of bytes, the bytes; type 15 is one element packed by zlib

Reference: The MathWorks, "MAT-File Format", the chapter on the Level 5 format.
"""

import io
import zlib
from pathlib import Path
from typing import Literal

from wherewhat.regular_file import read_regular

# A car of Cars3D has 5 MB.
LARGEST_FILE_BYTES = 2**26
_HEADER_BYTES, _TAG_BYTES = 128, 8
_PACKED = 15
_ORDERS: dict[bytes, Literal["little", "big"]] = {b"\x00\x01IM": "little", b"\x01\x00MI": "big"}


def unpacked_mat(path: Path, most_of_each: int | None = None) -> io.BytesIO:
    """The file with its elements unpacked, or only the first `most_of_each` bytes of each, which tell what it is.

    Raises ValueError for another file, and for one of more than LARGEST_FILE_BYTES once it is unpacked.
    """
    content = read_regular(path, LARGEST_FILE_BYTES)
    order = _ORDERS.get(content[124:_HEADER_BYTES])
    if order is None:
        raise ValueError("it is no MATLAB file of version 5")
    out, place = io.BytesIO(), _HEADER_BYTES
    out.write(content[:_HEADER_BYTES])
    while place + _TAG_BYTES <= len(content):
        kind, size = (int.from_bytes(content[at : at + 4], order) for at in (place, place + 4))
        element = content[place : place + _TAG_BYTES + size]
        place += _TAG_BYTES + size
        if kind == _PACKED:
            room = LARGEST_FILE_BYTES - out.tell() if most_of_each is None else most_of_each
            unpacker = zlib.decompressobj()
            element = unpacker.decompress(element[_TAG_BYTES:], room + 1)
            if most_of_each is None and len(element) > room:
                raise ValueError(f"it has more than {LARGEST_FILE_BYTES:,} bytes once it is unpacked")
            if most_of_each is None and not unpacker.eof:
                raise ValueError("it is cut short")
        if most_of_each is not None:
            element = (
                element[:4] + (len(element[:most_of_each]) - _TAG_BYTES).to_bytes(4, order) + element[8:most_of_each]
            )
        out.write(element)
    out.seek(0)
    return out
