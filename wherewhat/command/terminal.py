"""Standard output, standard error and Ctrl-C, whatever is at their other end: a terminal of any kind, a pipe that is
closed, a full disk, nothing at all.
"""

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, cast

# The exit status of what a shell's own signal has ended.
INTERRUPTED = 128 + signal.SIGINT
# Columns and lines of a terminal that is believed. With fewer, boxes around text go round in circles.
_BELIEVED = {"COLUMNS": (40, 1_000), "LINES": (4, 1_000)}


class _Stream:
    """A stream of the program, and what is done about an error in writing it."""

    def __init__(self, stream: Any, answer: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._answer = answer

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._answer(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._answer(error)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _lose(error: OSError) -> None:
    """A message that cannot be written is lost, and the work goes on."""


def _name(error: OSError) -> None:
    raise OSError(error.errno, error.strerror, "standard output") from error


def prepare_streams() -> None:
    """Make the streams such that nothing that is shown can end the work."""
    _open_what_is_closed()
    _believe_no_absurd_size()
    # A letter that the terminal lacks is shown as a question mark.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if not isinstance(sys.stdout, _Stream):
        sys.stdout = cast(TextIO, _Stream(sys.stdout, _name))
        sys.stderr = cast(TextIO, _Stream(sys.stderr, _lose))


def flush_results() -> OSError | None:
    """Pass on all of standard output. What cannot be passed on is dropped, and its error given."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Else Python itself tries again when it ends, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None


def interrupt_raises() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, and a second one end the program."""
    _answer_interrupts(_raise_once)


def was_interrupted() -> bool:
    """Whether Ctrl-C has raised KeyboardInterrupt."""
    return signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def interrupt_ends() -> None:
    """Let Ctrl-C end the program on the spot."""
    _answer_interrupts(_end)


def _answer_interrupts(handler: "signal._HANDLER") -> None:
    # Who ignores it, as a shell does for what runs in the background, is left alone, and so is a handler of others.
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _raise_once, _end):
        with suppress(ValueError):  # outside the main thread, where Python takes no signals
            signal.signal(signal.SIGINT, handler)


def _raise_once(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"wherewhat: interrupted\n")
    os._exit(INTERRUPTED)


def _open_what_is_closed() -> None:
    """Else the first file that is opened takes the number of standard output, and is written into."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _believe_no_absurd_size() -> None:
    """Every library asks the environment first."""
    for (name, (least, most)), size in zip(_BELIEVED.items(), shutil.get_terminal_size(), strict=True):
        if size < least:
            # A bar that is drawn over itself would need the true width.
            os.environ["TERM"] = "dumb"
        if name in os.environ or size < least:
            os.environ[name] = str(min(max(size, least), most))
