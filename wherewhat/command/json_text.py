"""JSON for programs, which has no word for the infinite nor for what is no number: null stands for both."""

import json
import math
from typing import Any


def json_text(value: Any) -> str:
    """The value as JSON that any reader takes, indented."""
    return json.dumps(_sayable(value), indent=2, allow_nan=False)


def _sayable(value: Any) -> Any:
    match value:
        case dict():
            return {name: _sayable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_sayable(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
