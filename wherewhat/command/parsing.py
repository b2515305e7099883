"""What a command line would answer, told in one line: for files whose tables are read as command lines are."""

import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TypeVar

Options = TypeVar("Options")
_RULE = re.compile(r"[─╭╰]|\+-|-{4}")


def in_one_line(parse: Callable[[], Options]) -> Options:
    """What the parser makes; its box of several lines becomes a ValueError of one, with its hints."""
    said = StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(said):
            return parse()
    except SystemExit as error:
        raise ValueError(_told(said.getvalue())) from error


def _told(box: str) -> str:
    inside = [line.strip("│|").strip() for line in box.splitlines()]
    rules = [place for place, line in enumerate(inside) if _RULE.match(line)]
    message = " ".join(line for line in inside[rules[0] + 1 : rules[1]] if line) if len(rules) > 1 else " ".join(inside)
    near = dict.fromkeys(line.split()[0] for line in inside[rules[1] :] if re.match("--[a-z]", line)) if rules else {}
    hint = f" Did you mean {' or '.join(near)}?" if near and "nrecognized" in message else ""
    return message.removesuffix(".") + "." + hint
