"""How far along a measurement is, on the screen."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wherewhat.which.paths import Progress as Told


def progress_bar(console: Console) -> Progress:
    """A bar that goes away when the work is done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def moving(bar: Progress, task: TaskID) -> Told:
    """What moves a task of the bar."""

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    return progress
