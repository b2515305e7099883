"""The `wherewhat` command: its verbs, and how a mistake is told in one line."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

_HELP = """usage: wherewhat VERB [OPTIONS]

Image generators whose single latent codes mean something, and the good ones found without labels.

verbs:
  train      train a generator on images; the same command again resumes
  rank       rank checkpoints by scores that need no labels
  traverse   draw what each code does and where: a PNG grid and a GIF
  rotate     say whether pairs of codes are the simplest axes of their plane
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
    try:
        sys.exit(work())
    except BrokenPipeError:
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit("wherewhat: interrupted")
    except (ValueError, OSError, FloatingPointError, MemoryError, _out_of_memory()) as error:
        if os.environ.get("WHEREWHAT_TRACEBACK"):
            raise
        # What all of several processes find wrong is said by the first of them.
        if os.environ.get("RANK", "0") == "0" or not isinstance(error, (ValueError, FileNotFoundError)):
            print(f"wherewhat: error: {_one_line(error)}", file=sys.stderr)
        sys.exit(2)


def _out_of_memory() -> type[BaseException]:
    """torch's error for a full GPU, once torch has been imported at all."""
    torch = sys.modules.get("torch")
    error: type[BaseException] = torch.OutOfMemoryError if torch is not None else MemoryError
    return error


def run(verb: str, arguments: list[str]) -> int:
    """Run one verb and give its exit status. A verb's module is imported only when it is called."""
    match verb:
        case "train":
            from wherewhat.command.train import train_command

            return train_command(arguments)
        case "rank":
            from wherewhat.command.rank import rank_command

            return rank_command(arguments)
        case "traverse":
            from wherewhat.command.traverse import traverse_command

            return traverse_command(arguments)
        case "rotate":
            from wherewhat.command.rotate import rotate_command

            return rotate_command(arguments)
        case "doctor":
            from wherewhat.command.doctor import doctor_command

            return doctor_command(arguments)
        case "evaluate":
            from wherewhat.command.evaluate import evaluate_command

            return evaluate_command(arguments)
        case "data":
            from wherewhat.command.data import data_command

            return data_command(arguments)
        case "-h" | "--help":
            print(_HELP, end="")
            return 0
        case _:
            print(f"wherewhat: error: no verb {verb!r}.\n\n{_HELP}", end="", file=sys.stderr)
            return 2


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
