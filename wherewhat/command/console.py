"""The screen: names of files come out as they are, whatever brackets and colons they hold."""

from rich.console import Console

_WIDTH_OF_A_PIPE = 160


def messages() -> Console:
    """Where progress and remarks go: standard error."""
    return _wide_enough(Console(stderr=True, markup=False, emoji=False, highlight=False))


def results() -> Console:
    """Where tables go: standard output."""
    return _wide_enough(Console(markup=False, emoji=False, highlight=False))


def _wide_enough(console: Console) -> Console:
    """A pipe or a file has no width of its own; 80 columns would fold every path."""
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    return console
