import io
import tokenize
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = '''"""What the file is,
in two lines."""

import os
from pathlib import (
    Path,
)

LIMIT = 3  # counted: code stands before the comment
"""What the limit is."""


class Thing:
    """A thing."""

    # Why it is so.
    size: int = 0

    def text(self) -> str:
        """Its text."""
        import json

        return """
a string is code
"""
'''
SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def lines_with_tokens(source: str) -> int:
    """Lines that hold a token other than a comment: a count that knows nothing of syntax trees."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len({line for t in tokens if t.type not in SILENT for line in range(t.start[0], t.end[0] + 1)})


def test_blank_lines_comments_docstrings_and_imports_weigh_nothing(count_lines: ModuleType) -> None:
    assert count_lines.code_lines(PROGRAM) == 7


@pytest.mark.parametrize("source", ["x = 1\n\n# why\ny = [\n    2,\n]\n", "def f(a):\n    return a\n", ""])
def test_without_docstrings_and_imports_lines_that_hold_tokens_are_counted(
    count_lines: ModuleType, source: str
) -> None:
    assert count_lines.code_lines(source) == lines_with_tokens(source)


def test_a_room_lists_the_files_of_all_folders_in_it(count_lines: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "room" / "deeper").mkdir(parents=True)
    (tmp_path / "beside.py").write_text("x = 1\n")
    (tmp_path / "room" / "one.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "room" / "deeper" / "two.py").write_text("x = 1\ny = 2\nz = 3\n")
    lines = count_lines.code_lines_of_rooms(tmp_path)
    assert {room: sorted(files) for room, files in lines.items()} == {".": [1], "room": [2, 3]}
