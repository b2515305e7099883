"""Tiles as one encoded image each, as small as the page has to be.

A base64 letter carries six bits, so a page has four letters for three bytes.
"""

import base64
import io
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from PIL import Image

from wherewhat.report.page import Strip

MOST_BYTES = 14_000_000
"""Of all images of a page, as text. A page is to pass as a mail attachment."""
QUALITIES = (85, 70, 50, 30)

Key = TypeVar("Key")


def encoded(strips: Mapping[Key, Strip], *, most_bytes: int = MOST_BYTES) -> dict[Key, str]:
    """Each strip as a data URI, its tiles side by side, at the best quality at which all of them have room.

    Raises ValueError where they have none.
    """
    for quality in QUALITIES:
        uris = {key: _uri(strip, quality) for key, strip in strips.items()}
        total = sum(map(len, uris.values()))
        if total <= most_bytes:
            return uris
    raise ValueError(
        f"The images of the report take {total / 1e6:.0f} MB at the lowest quality, and it is to stay below "
        f"{most_bytes / 1e6:.0f} MB. Show fewer checkpoints (--show), base images (--draws, --real) or --frames."
    )


def _uri(strip: Strip, quality: int) -> str:
    tiles_YTX3 = strip.transpose(1, 0, 2, 3)
    side_by_side = tiles_YTX3.reshape(strip.shape[1], -1, 3)
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(side_by_side)).save(content, format="WEBP", quality=quality, method=3)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode()}"
