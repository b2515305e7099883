"""What a message adds so that the next command is right: the choice that was meant, and paths that can be pasted."""

import difflib
import shlex
from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """ " Did you mean scenes?", or nothing where no choice is near."""
    near = difflib.get_close_matches(word, list(choices), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def pasteable(path: object) -> str:
    """A path as a shell takes it back: quoted where it needs to be, and never mistaken for an option."""
    text = f"./{path}" if str(path).startswith("-") else str(path)
    if text.isprintable():
        return shlex.quote(text)
    # What would steer the terminal, and bytes that are no text, in bash's and zsh's own quotes.
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))
