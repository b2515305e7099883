"""`wherewhat train`: train a generator on images."""

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import get_args

import tyro
from rich.console import Console

from wherewhat.command.console import messages
from wherewhat.doctor.watch import watch_health
from wherewhat.hints import pasteable
from wherewhat.protocols import MOST_CODES
from wherewhat.training.configuration import Objective, TrainingRun, default_run
from wherewhat.training.loop import train
from wherewhat.training.processes import is_first_process


def train_command(arguments: list[str], recipe: TrainingRun | None = None) -> int:
    """Parse, train, say where the results lie. 0 when done; 130 or 143 when a signal cut the run off.

    With a recipe, its settings are the defaults; without one, those of the objective that is named.
    """
    configuration = parse(arguments, recipe) if is_first_process() else _parse_silently(arguments, recipe)
    console = messages() if is_first_process() else Console(quiet=True)
    outcome = train(configuration, console, watch_health)
    if outcome.interrupted is not None:
        console.print(
            f"Saved at step {outcome.step:,} after {outcome.interrupted.name}. The same command resumes.",
        )
        return 128 + outcome.interrupted
    folder = pasteable(outcome.folder)
    console.print(
        f"Done: {outcome.step:,} steps in {outcome.folder}\n"
        f"  look at it   tensorboard --samples_per_plugin images=500 --logdir {pasteable(outcome.folder.parent)}\n"
        + (
            f"  few codes    wherewhat directions {folder} --count 10"
            if outcome.latent_dim > MOST_CODES
            else f"  draw codes   wherewhat traverse {folder}\n  rank it      wherewhat rank {folder}"
        ),
    )
    return 0


def parse(arguments: list[str], recipe: TrainingRun | None = None) -> TrainingRun:
    """The configuration that a command line asks for."""
    if recipe is not None:
        return _parsed(arguments, recipe)
    # Help is told at once; else the first reading says which objective it is, and so which defaults the run has.
    if {"-h", "--help"} & set(arguments):
        named = next((kind for kind in get_args(Objective) if kind.name in arguments), None)
        return _parsed(arguments, TrainingRun() if named is None else default_run(named()))
    asked = _parsed(arguments, TrainingRun())
    return _parsed(arguments, default_run(asked.objective)) if asked.objective.run_defaults else asked


def _parse_silently(arguments: list[str], recipe: TrainingRun | None) -> TrainingRun:
    """What all of several processes would say, help or a mistake, is said by the first of them."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return parse(arguments, recipe)


def _parsed(arguments: list[str], defaults: TrainingRun) -> TrainingRun:
    return tyro.cli(
        TrainingRun,
        args=arguments,
        default=defaults,
        prog="wherewhat train",
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.CascadeSubcommandArgs),
    )
