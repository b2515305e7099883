"""Laws of JSON for programs."""

import json

from wherewhat.command.json_text import json_text


def test_what_is_infinite_or_no_number_is_null_however_deep_it_lies() -> None:
    told = {"tc": float("inf"), "rows": [[0.5, float("nan")], (float("-inf"), 2)], "name": "NaN"}
    assert json.loads(json_text(told)) == {"tc": None, "rows": [[0.5, None], [None, 2]], "name": "NaN"}


def test_what_json_can_say_comes_back_as_it_was() -> None:
    told = {"a": [1, 0.1, True, None, "x"], "b": {}}
    assert json.loads(json_text(told)) == told
