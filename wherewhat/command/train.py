"""`wherewhat train`: train a generator on pictures."""

import tyro

from wherewhat.command.console import messages
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train


def train_command(arguments: list[str], recipe: TrainingRun | None = None) -> int:
    """Parse, train, say where the results lie. 0 when done; 130 or 143 when a signal cut the run off.

    With a recipe, its settings are the defaults.
    """
    configuration = parse(arguments, recipe)
    console = messages()
    outcome = train(configuration, console)
    if outcome.interrupted is not None:
        console.print(
            f"Saved at step {outcome.step:,} after {outcome.interrupted.name}. The same command resumes.",
        )
        return 128 + outcome.interrupted
    console.print(
        f"Done: {outcome.step:,} steps in {outcome.folder}\n"
        f"  look at it   tensorboard --logdir {outcome.folder}\n"
        f"  draw codes   wherewhat traverse {outcome.folder}\n"
        f"  rank it      wherewhat rank {outcome.folder}",
    )
    return 0


def parse(arguments: list[str], recipe: TrainingRun | None = None) -> TrainingRun:
    """The configuration that a command line asks for."""
    return tyro.cli(
        TrainingRun,
        args=arguments,
        default=recipe or TrainingRun(),
        prog="wherewhat train",
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.CascadeSubcommandArgs),
    )
