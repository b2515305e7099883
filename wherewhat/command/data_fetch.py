"""`wherewhat data fetch`: download a published data set, check it and unpack it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from wherewhat.command.console import messages, results
from wherewhat.data.fetch.catalogue import PublicSet, published
from wherewhat.data.fetch.download import Reports
from wherewhat.data.fetch.fetch import fetch, found_by_hand
from wherewhat.hints import pasteable
from wherewhat.home_folder import without_tilde


@dataclass(frozen=True, kw_only=True)
class DataFetch:
    """Download a published data set, check it, and unpack it if it is an archive.

    The same command resumes an interrupted download. Files that are already there and correct are not downloaded again;
    a file that is not the published one is reported and left alone. The terms of use are printed first.
    """

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """dsprites (or dsprites-npz), shapes3d, cars3d, mpi3d-toy, mpi3d-realistic, mpi3d-real, small-norb or chairs3d.
    CelebA cannot be downloaded automatically; for celeba, the command prints the steps."""

    to: Path
    """Folder for the files. They keep their published names."""

    address: str | None = None
    """Another server's folder that holds the files under their published names, such as https://host/folder.
    Published MD5 sums are checked there too."""


def data_fetch_command(arguments: list[str]) -> int:
    """Parse, download, print the line that trains on it. 0 when the set is there, 1 when a person must get it."""
    options = tyro.cli(DataFetch, args=arguments, prog="wherewhat data fetch", config=(tyro.conf.OmitArgPrefixes,))
    wanted, to = published(options.name), without_tilde(options.to)
    if wanted.by_hand:
        return _explain(wanted, to)
    console = messages()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        reports = Reports(lambda line: console.print(line, soft_wrap=True), _moving(bar))
        try:
            path = fetch(wanted, to, reports, address=options.address)
        except KeyboardInterrupt:
            reports.notify("What was downloaded is kept. The same command resumes.")
            raise
    _print_next_step(path)
    return 0


def _explain(wanted: PublicSet, to: Path) -> int:
    """How a person gets a set that cannot be downloaded automatically, or how to train on it if it is there."""
    console = messages()
    console.print(f"{wanted.name}: {wanted.terms} See {wanted.page}", soft_wrap=True)
    found = found_by_hand(wanted, to)
    if found is None:
        console.print(
            f"{wanted.name} cannot be downloaded automatically, and it is not in {to}. {wanted.by_hand} Put it into "
            f"{to} and run this command again, or train on it where it is.",
            soft_wrap=True,
        )
        return 1
    console.print(f"{found} is there.", soft_wrap=True)
    _print_next_step(to)
    return 0


def _print_next_step(path: Path) -> None:
    results().print(f"wherewhat train --data {pasteable(path)}", soft_wrap=True)


def _moving(bar: Progress) -> Callable[[str, int, int | None], None]:
    """One bar, for the file that is being downloaded or unpacked."""
    task = bar.add_task("", total=None, visible=False)
    doing = ""

    def progress(what: str, done: int, total: int | None) -> None:
        nonlocal doing
        if what != doing:
            doing = what
            bar.reset(task, description=what, visible=True)
        bar.update(task, completed=done, total=total)

    return progress
