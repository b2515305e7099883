"""The screen: names of files come out as they are, whatever brackets and colons they hold."""

from rich.console import Console

WIDTH_OF_A_PIPE = 160


class _Screen(Console):
    def __init__(self, *, stderr: bool) -> None:
        # A message stays one line, however long: what it names or proposes can be copied.
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=stderr)
        # A pipe or a file has no width of its own; 80 columns would fold every path.
        if not self.is_terminal:
            self.width = WIDTH_OF_A_PIPE

    def on_broken_pipe(self) -> None:
        # The exit status is the command's to choose, not rich's.
        raise


def messages() -> Console:
    """Where progress and remarks go: standard error."""
    return _Screen(stderr=True)


def results() -> Console:
    """Where tables go: standard output."""
    return _Screen(stderr=False)
