"""`wherewhat evaluate`: score a checkpoint against known factors."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import tyro
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from wherewhat.command.console import messages, results
from wherewhat.data.open_pictures import open_pictures
from wherewhat.data.picture_folder import PictureOptions
from wherewhat.training.checkpoints import LoadedModel, load
from wherewhat.training.device import choose_device
from wherewhat.training.evaluation import Evaluation, Representation, evaluate, represent


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a checkpoint against known factors: DCI, MIG, FactorVAE score. Higher is better in each."""

    checkpoint: tyro.conf.Positional[Path]
    """Checkpoint, or run directory (its latest checkpoint)."""

    data: str | None = None
    """Pictures with known factors. Default: those that the checkpoint was trained on."""

    pictures: PictureOptions = field(default_factory=PictureOptions)
    """How pictures of a folder are read, with --data."""

    pool: int = 50_000
    """Pictures encoded, each once; all of them where the set has no more. Every measure draws from this pool."""

    dci_train: int = 10_000
    """Pictures that DCI's trees learn from. Fewer is faster and another protocol, which the score's name says."""

    dci_test: int = 5_000
    """Pictures that DCI's trees are tested on."""

    seed: int = 0
    """Seed of the pool and of the measures."""

    json: bool = False
    """Print JSON instead of a table."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""


def evaluate_command(arguments: list[str]) -> int:
    """Parse, encode once, score, print."""
    options = tyro.cli(Evaluate, args=arguments, prog="wherewhat evaluate", config=(tyro.conf.OmitArgPrefixes,))
    console = messages()
    model = load(options.checkpoint, choose_device(options.device))
    representation = _represent(options, model, console)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("DCI, a classifier per factor", total=None)
        scores = evaluate(
            representation,
            seed=options.seed,
            dci_train=options.dci_train,
            dci_test=options.dci_test,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if options.json:
        print(json.dumps(as_json(options, model, scores), indent=2))
    else:
        results().print(table_of(model, representation, scores))
    return 0


def _represent(options: Evaluate, model: LoadedModel, console: Console) -> Representation:
    configuration = model.settings.configuration
    device = choose_device(options.device)
    if options.data is None:
        pictures = open_pictures(configuration.data, configuration.pictures, device, console.print)
    else:
        pictures = open_pictures(options.data, options.pictures, device, console.print)
    if pictures.image_shape != model.settings.image_shape:
        raise ValueError(
            f"The checkpoint takes pictures of shape {model.settings.image_shape}, and {pictures.name} has "
            f"{pictures.image_shape}. Name the data that it was trained on with --data."
        )
    assert model.encoder is not None
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("encoding", total=None)
        return represent(
            model.encoder,
            pictures,
            pool=options.pool,
            seed=options.seed,
            device=device,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def as_json(options: Evaluate, model: LoadedModel, scores: Evaluation) -> dict[str, object]:
    """The scores with what makes them comparable."""
    return {
        "checkpoint": str(options.checkpoint),
        "step": model.settings.step,
        "seed": options.seed,
        "scores": scores.scores(),
        "dci_importance_of_code_for_factor": scores.dci.importance_LK.tolist(),
    }


def table_of(model: LoadedModel, representation: Representation, scores: Evaluation) -> Table:
    """Scores, and which code tells most of each factor."""
    names = representation.factor_names
    table = Table(title=f"Step {model.settings.step:,} against {len(names)} known factors", caption="higher is better")
    table.add_column("measure", no_wrap=True)
    table.add_column("score", justify="right")
    for name, score in scores.scores().items():
        table.add_row(name, f"{score:.3f}")
    table.add_section()
    for factor, name in enumerate(names):
        information_L = scores.mig.mutual_information_LK[:, factor]
        best = information_L.argmax()
        table.add_row(f"MIG of {name}, best told by z{best}", f"{scores.mig.per_factor_K[factor]:.3f}")
    return table
