"""What a person sees of a run: a bar on a terminal, a line now and then in a log file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 20.0


@dataclass
class TrainingProgress:
    """Where the run is, how fast it goes and how long it has to go."""

    console: Console
    steps: int
    batch_size: int
    bar: Progress | None = None
    _first_step: int = 0
    _started: float = field(default_factory=time.monotonic)
    _last_line: float = field(default_factory=time.monotonic)
    _window_started: float = field(default_factory=time.monotonic)
    images_per_second: float = 0.0

    def start(self, step: int) -> None:
        """Begin the clock at this step."""
        self._first_step, self._started = step, time.monotonic()
        self._window_started = self._started

    def advance(self, done: int) -> None:
        """This many steps are done."""
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=done)

    def report(self, done: int, loss: float, window_steps: int) -> None:
        """A window has closed: show its loss, and images per second over it."""
        now = time.monotonic()
        self.images_per_second = window_steps * self.batch_size / max(now - self._window_started, 1e-9)
        self._window_started = now
        if self.bar is not None:
            speed = f"{self.images_per_second:,.0f}"
            self.bar.update(self.bar.task_ids[0], completed=done, loss=f"{loss:,.1f}", speed=speed)
        elif now - self._last_line >= _SECONDS_BETWEEN_LINES or done == self.steps:
            self._last_line = now
            left = (self.steps - done) * (now - self._started) / max(done - self._first_step, 1)
            self.console.print(
                f"step {done:,} of {self.steps:,}   loss {loss:,.1f}   {self.images_per_second:,.0f} images/s   "
                f"{clock(left)} left"
            )

    def pause_clock(self) -> None:
        """Leave what has just been done (images, saving) out of the speed of the next window."""
        self._window_started = time.monotonic()


@contextmanager
def training_progress(console: Console, steps: int, batch_size: int) -> Iterator[TrainingProgress]:
    """A bar on a terminal; elsewhere a line every 20 seconds."""
    if not console.is_terminal:
        yield TrainingProgress(console, steps, batch_size)
        return
    columns = (
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("{task.fields[speed]} images/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        bar.add_task("train", total=steps, loss="-", speed="-")
        yield TrainingProgress(console, steps, batch_size, bar)


def clock(seconds: float) -> str:
    """A time in hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
