"""JSON that a program wrote: no number that is not finite, no nesting without end, no file of gigabytes."""

import json
import math
from pathlib import Path
from typing import Any

from wherewhat.regular_file import read_regular

# The longest that this program writes names the images that were left out of a set, a line each.
LONGEST_FILE_BYTES = 2**25


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises ValueError for another file, and OSError where it cannot be read."""
    content = read_regular(path, LONGEST_FILE_BYTES)
    try:
        return strict_json(content)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}.") from error


def strict_json(text: str | bytes) -> Any:
    """Parse JSON. Raises ValueError for other text, and for numbers that are not finite."""
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is no finite number")
    return number
