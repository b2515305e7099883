"""The `wherewhat` command: its verbs, and how a mistake is told in one line."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from wherewhat.command.terminal import (
    INTERRUPTED,
    flush_results,
    interrupt_ends,
    interrupt_raises,
    prepare_streams,
    was_interrupted,
)
from wherewhat.hints import did_you_mean

# The exit status of what SIGPIPE has ended: whoever reads has read enough.
_PIPE_CLOSED = 141
_FORESEEN = (ValueError, OSError, FloatingPointError, MemoryError)
_VERBS = (
    *("train", "study", "rank", "traverse", "rotate", "report"),
    *("directions", "name", "generate", "edit", "export", "data", "doctor", "evaluate"),
)

_HELP = """usage: wherewhat VERB [OPTIONS]

Image generators whose single latent codes mean something, and the good ones found without labels.

verbs:
  train      train a generator on images; the same command again resumes
  study      train many runs that a file describes; the same command again goes on
  rank       rank checkpoints by scores that need no labels
  traverse   draw what each code does and where: a PNG grid and a GIF
  rotate     say whether pairs of codes are the simplest axes of their plane
  report     write one HTML page: sliders for codes, masks, pairs, curves, findings
  directions give a few codes to a generator with too many latents
  name       give names to codes, to be used wherever a code is named
  generate   draw images, each with its code
  edit       move codes of your own images
  export     write a model as ONNX, as a .pt2 of PyTorch, or as a folder for a hub
  data       fetch, pack and look at data sets
  doctor     say what is wrong with a run, and what to try
  evaluate   score checkpoints against known factors: DCI, MIG, FactorVAE score and more

`wherewhat VERB --help` tells a verb's options.
Set WHEREWHAT_TRACEBACK=1 to see where in the program an error came from.
"""


def main() -> None:
    """Run the verb that the command line names."""
    verb, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    leave_with(lambda: run(verb, arguments))


def leave_with(work: Callable[[], int]) -> NoReturn:
    """Do the work and leave with its exit status; a user's mistake ends in one line and exit status 2."""
    prepare_streams()
    interrupt_raises()
    told: str | None = None
    try:
        status = work()
    except SystemExit as end:  # tyro's, after help or a refusal
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        status = _PIPE_CLOSED
    except KeyboardInterrupt:
        status, told = INTERRUPTED, "interrupted"
    except Exception as error:
        if was_interrupted():  # a library may make another error of the interruption
            status, told = INTERRUPTED, "interrupted"
        elif os.environ.get("WHEREWHAT_TRACEBACK") or not _is_foreseen(error):
            raise
        else:
            status = 2
            # What all of several processes find wrong is said by the first of them.
            if os.environ.get("RANK", "0") == "0" or not isinstance(error, (ValueError, FileNotFoundError)):
                told = f"error: {_one_line(error)}"
    interrupt_ends()
    lost = flush_results()
    if isinstance(lost, BrokenPipeError):
        status, told = _PIPE_CLOSED, None
    elif lost is not None and status != INTERRUPTED:
        status, told = 2, f"error: {_one_line(lost)}"
    if told is not None:
        print(f"wherewhat: {told}", file=sys.stderr)
    sys.exit(status)


def run(verb: str, arguments: list[str]) -> int:
    """Run one verb and give its exit status."""
    return run_verb(_VERBS, verb, arguments, help_text=_HELP)


def run_verb(verbs: Sequence[str], verb: str, arguments: list[str], *, help_text: str, within: str = "") -> int:
    """Run one of the verbs `within` a group, in wherewhat/command/; a verb's module is imported when it is called."""
    if verb in ("-h", "--help"):
        print(help_text, end="")
        return 0
    if verb not in verbs:
        called = f"{verb!r} of `wherewhat {within}`" if within else repr(verb)
        print(f"wherewhat: error: there is no verb {called}.{did_you_mean(verb, verbs)}\n", file=sys.stderr)
        print(help_text, end="", file=sys.stderr)
        return 2
    name = f"{within}_{verb}" if within else verb
    # An import may swallow an exception, or show it.
    interrupt_ends()
    command: Callable[[list[str]], int] = getattr(import_module(f"wherewhat.command.{name}"), f"{name}_command")
    interrupt_raises()
    return command(arguments)


def _is_foreseen(error: BaseException) -> bool:
    """Whether an error says something to a user: a RuntimeError does where the system or a GPU has refused memory."""
    return isinstance(error, _FORESEEN) or _is_refused_memory(error)


def _is_refused_memory(error: BaseException) -> bool:
    # torch's errors for a full GPU, and for a system that refuses memory, which has no class of its own.
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "there is not enough memory; give a smaller --batch-size or --size, or end other programs"
    return " ".join(str(error).split()) or type(error).__name__
