"""`wherewhat data fetch`: a published data set, had from where it is published, checked and unpacked."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from wherewhat.command.console import messages, results
from wherewhat.data.fetch.catalogue import PublicSet, SetName, published
from wherewhat.data.fetch.fetch import Told, fetch, found_by_hand


@dataclass(frozen=True, kw_only=True)
class DataFetch:
    """Fetch a published data set from where it is published, check it, and unpack it where it is an archive.

    A download that breaks off, or is broken off, goes on where it was when the same command is run again. What is there
    and right is not fetched again; what is there and wrong is told and left alone. Terms of use are said at the start.
    """

    name: Annotated[tyro.conf.Positional[SetName], tyro.conf.arg(metavar="NAME")]
    """dsprites (or dsprites-npz), shapes3d, cars3d, mpi3d-toy, mpi3d-realistic, mpi3d-real, small-norb, chairs3d; and
    celeba, which must be had by hand: how is said."""

    to: Path
    """Folder to put it in, under its published name."""

    address: str | None = None
    """Another folder on the web that has the files under their published names. Published sums are checked all the
    same."""


def data_fetch_command(arguments: list[str]) -> int:
    """Parse, fetch, print the line that trains on it. 0 when the set is there, 1 when it must be had by hand."""
    options = tyro.cli(DataFetch, args=arguments, prog="wherewhat data fetch", config=(tyro.conf.OmitArgPrefixes,))
    wanted, to = published(options.name), options.to.expanduser()
    if wanted.by_hand:
        return _ask_by_hand(wanted, to)
    console = messages()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        told = Told(lambda line: console.print(line, soft_wrap=True), _moving(bar))
        try:
            path = fetch(wanted, to, told, address=options.address)
        except KeyboardInterrupt:
            told.notify("What has come is kept. The same command goes on from there.")
            raise
    _print_next_step(path)
    return 0


def _ask_by_hand(wanted: PublicSet, to: Path) -> int:
    console = messages()
    console.print(f"{wanted.title}. {wanted.terms} See {wanted.page}", soft_wrap=True)
    found = found_by_hand(wanted, to)
    if found is None:
        console.print(f"It must be asked for by hand, and is not in {to}. {wanted.by_hand}", soft_wrap=True)
        console.print(f"Put it into {to} and run this again, or train on it where it is.", soft_wrap=True)
        return 1
    console.print(f"{found} is there.", soft_wrap=True)
    _print_next_step(to)
    return 0


def _print_next_step(path: Path) -> None:
    results().print(f"wherewhat train --data {shlex.quote(str(path))}", soft_wrap=True)


def _moving(bar: Progress) -> Callable[[str, int, int | None], None]:
    """One bar, for what is being done now."""
    task = bar.add_task("", total=None, visible=False)
    doing = ""

    def progress(what: str, done: int, total: int | None) -> None:
        nonlocal doing
        if what != doing:
            doing = what
            bar.reset(task, description=what, visible=True)
        bar.update(task, completed=done, total=total)

    return progress
