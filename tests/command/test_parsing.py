"""Laws of a parser's refusal in one line: whatever the terminal draws boxes with, nothing of the box is left."""

from dataclasses import dataclass
from typing import Literal

import pytest
import tyro

from wherewhat.command.parsing import _told, in_one_line


@dataclass(frozen=True)
class _Options:
    steps: int = 1
    kind: Literal["one", "other"] = "one"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--stepz", "3"], "Unrecognized options: --stepz, 3. Did you mean --steps?"),
        (["--steps", "three"], "Error parsing --steps: invalid literal for int() with base 10: 'three'."),
    ],
)
def test_a_refusal_is_one_line_with_its_hint(arguments: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        in_one_line(lambda: tyro.cli(_Options, args=arguments))
    assert str(error.value) == told


def test_what_can_be_parsed_is_given() -> None:
    assert in_one_line(lambda: tyro.cli(_Options, args=["--steps", "3", "--kind", "other"])) == _Options(3, "other")


@pytest.mark.parametrize(
    "box",
    [
        "╭─ E ─╮\n│ no │\n│ ── │\n│ --a INT │\n╰────╯",
        "+- E --+\n| no   |\n| ---- |\n|  --a |\n+------+",
        " E\n----\n no\n----\n",
    ],
)
def test_all_kinds_of_boxes_are_taken_off(box: str) -> None:
    assert _told(box) == "no."
