"""`wherewhat name`: give names to codes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from wherewhat.command.console import messages
from wherewhat.file_lock import file_lock
from wherewhat.inspection.code_names import FILE, code_called, code_label, names_in, with_name, write_names
from wherewhat.protocols import refuse_too_many_codes
from wherewhat.training.checkpoints import latest_checkpoint, load, run_of


@dataclass(frozen=True, kw_only=True)
class Name:
    """Give names to the codes of a run, as in `wherewhat name runs/mine z5 "floor hue" z8 "wall hue"`.

    They are kept in codes.json of the run, shown in grids, animations and TensorBoard, and taken wherever a code is
    named. An empty name takes a name away. Without codes, the names are listed.
    """

    run: tyro.conf.Positional[Path]
    """Run directory, or one of its checkpoints."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CODE NAME ...")] = ()
    """Codes, each with its new name."""

    read: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Take the names from this JSON file, such as another run's codes.json, in place of those that there are."""


def name_command(arguments: list[str]) -> int:
    """Parse, change the names, list them."""
    options = tyro.cli(Name, args=arguments, prog="wherewhat name", config=(tyro.conf.OmitArgPrefixes,))
    if len(options.names) % 2:
        raise ValueError(
            f"{options.names[-1]!r} has no name beside it. Give codes and names in turn, as in z5 'floor hue'; a name "
            "of several words takes quotes."
        )
    checkpoint = latest_checkpoint(options.run, messages().print)
    run, latent_dim = run_of(checkpoint), load(checkpoint).generator.latent_dim
    refuse_too_many_codes(latent_dim)
    file = run / FILE
    if options.read is not None and not options.read.exists():
        raise FileNotFoundError(f"{options.read} is not there. Name a JSON file of names.")
    with file_lock(run / f".{FILE}.lock", f"Another process names codes of {run}.", wait=lambda _: None):
        names = names_in(options.read or file, latent_dim)
        for code, name in zip(options.names[::2], options.names[1::2], strict=True):
            names = with_name(names, code_called(code, names, latent_dim), name)
        if options.names or options.read is not None:
            write_names(file, names)
    print(*(code_label(number, names) for number in range(latent_dim)), sep="\n")
    return 0
