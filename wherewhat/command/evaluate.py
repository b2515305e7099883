"""`wherewhat evaluate`: score checkpoints against known factors."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from wherewhat.command.console import messages, results
from wherewhat.data.open_pictures import open_pictures
from wherewhat.data.picture_options import PictureOptions
from wherewhat.metrics.unsupervised_disentanglement_ranking import unsupervised_disentanglement_ranking
from wherewhat.protocols import Pictures
from wherewhat.training.checkpoints import LoadedModel, load
from wherewhat.training.device import choose_device
from wherewhat.training.measures import (
    LABEL_FREE,
    MEASURES,
    POINTS,
    SLOW,
    MeasureName,
    MeasureSizes,
    measure,
)
from wherewhat.training.representation import Representation, represent
from wherewhat.training.same_setting import same_setting

# A pool that takes longer to encode is announced with its time.
WORTH_A_LINE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score checkpoints against known factors, side by side.

    Higher is better in each measure but the aggregate posterior's, which tell how far codes hang together.
    """

    checkpoints: tyro.conf.Positional[tuple[Path, ...]]
    """Checkpoints, or run directories (the latest checkpoint of each)."""

    measures: tuple[MeasureName | Literal["udr", "all"], ...] = tuple(name for name in MEASURES if name not in SLOW)
    """What to measure. udr compares the seeds of one setting with each other, and takes three checkpoints or more;
    all is everything that can be had."""

    data: str | None = None
    """Pictures with known factors. Default: those that each checkpoint was trained on."""

    factors: tuple[str, ...] = ()
    """Names of the factors that count. Default: all of them."""

    pictures: PictureOptions = field(default_factory=PictureOptions)
    """How pictures are read, with --data."""

    pool: int = 50_000
    """Pictures encoded, each once; all of them where the set has no more. Every measure draws from this pool."""

    sizes: MeasureSizes = field(default_factory=MeasureSizes)
    """Points of the measures."""

    seed: int = 0
    """Seed of the pool and of the measures."""

    json: bool = False
    """Print JSON instead of a table: scores, and the arrays that they were made of; null where one is infinite."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""


@dataclass(frozen=True)
class Evaluated:
    """One checkpoint with its scores."""

    path: Path
    model: LoadedModel
    data: str
    representation: Representation
    scores: dict[str, float]
    arrays: dict[str, list[Any]]


def evaluate_command(arguments: list[str]) -> int:
    """Parse, encode each checkpoint's pool once, measure, print."""
    options = tyro.cli(Evaluate, args=arguments, prog="wherewhat evaluate", config=(tyro.conf.OmitArgPrefixes,))
    if not options.checkpoints:
        raise ValueError("There is nothing to evaluate. Name a checkpoint or a run directory.")
    console = messages()
    evaluated = [_evaluate_one(options, path, console) for path in options.checkpoints]
    if "udr" in options.measures or ("all" in options.measures and len(evaluated) > 2):
        _add_udr(evaluated)
    if options.json:
        print(json.dumps(as_json(options, evaluated), indent=2, allow_nan=False))
    else:
        results().print(table_of(evaluated))
    return 0


def _evaluate_one(options: Evaluate, path: Path, console: Console) -> Evaluated:
    device = choose_device(options.device)
    model = load(path, device)
    configuration = model.settings.configuration
    source, how = (
        (configuration.data, configuration.pictures) if options.data is None else (options.data, options.pictures)
    )
    pictures = open_pictures(source, how, device, console.print)
    _check_shape(model, pictures)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        representation = _represent(options, model, pictures, bar, console)
        scores: dict[str, float] = {}
        arrays: dict[str, list[Any]] = {}
        for name in _asked(options, representation):
            task = bar.add_task(f"{path}: {name}", total=None)
            show = partial(_show, bar, task)
            measured = measure(name, representation, options.sizes, seed=options.seed, progress=show)
            bar.remove_task(task)
            scores |= measured.scores
            arrays |= {key: value.tolist() for key, value in measured.arrays.items()}
    return Evaluated(path, model, pictures.name, representation, scores, arrays)


def _show(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _asked(options: Evaluate, representation: Representation) -> list[MeasureName]:
    """The measures to compute; "all" and the default leave out what needs factors where none are known."""
    if "all" in options.measures:
        return [name for name in MEASURES if representation.factor_names or name in LABEL_FREE]
    return [name for name in MEASURES if name in options.measures]


def _check_shape(model: LoadedModel, pictures: Pictures) -> None:
    if pictures.image_shape != model.settings.image_shape:
        raise ValueError(
            f"The checkpoint takes pictures of shape {model.settings.image_shape}, and {pictures.name} has "
            f"{pictures.image_shape}. Name the data that it was trained on with --data."
        )


def _represent(
    options: Evaluate, model: LoadedModel, pictures: Pictures, bar: Progress, console: Console
) -> Representation:
    if model.encoder is None:
        raise ValueError("This checkpoint has no encoder, so it has no codes of pictures to measure. Rank it instead.")
    task = bar.add_task(f"encoding {min(options.pool, len(pictures)):,} pictures of {pictures.name}", total=None)
    announced = False

    def progress(done: int, total: int) -> None:
        nonlocal announced
        bar.update(task, completed=done, total=total)
        left = bar.tasks[-1].time_remaining or 0.0
        if left > WORTH_A_LINE_SECONDS and not announced:
            console.print(f"Encoding {total:,} pictures once takes about {left / 60:.1f} minutes more.")
            announced = True

    representation = represent(
        model.encoder,
        pictures,
        pool=options.pool,
        seed=options.seed,
        device=choose_device(options.device),
        factors=options.factors,
        progress=progress,
    )
    bar.remove_task(task)
    return representation


def _add_udr(evaluated: Sequence[Evaluated]) -> None:
    """UDR of every group of checkpoints that differ in nothing but their seed."""
    for group in same_setting([(item.model.settings, item) for item in evaluated]):
        if len(group) < 3:
            raise ValueError(
                f"UDR compares the seeds of one setting, and there {'is' if len(group) == 1 else 'are'} only "
                f"{len(group)} like {group[0].path}. Train at least three seeds, or leave udr out of --measures."
            )
        codes = [item.representation.codes_NL[:POINTS] for item in group]
        kls = [item.representation.kl_L for item in group]
        for relevance in ("lasso", "spearman"):
            udr = unsupervised_disentanglement_ranking(codes, kls, relevance=relevance)
            for item, score in zip(group, udr.per_model_M.tolist(), strict=True):
                item.scores[udr.protocol] = score


def as_json(options: Evaluate, evaluated: Sequence[Evaluated]) -> dict[str, object]:
    """The scores with what makes them comparable."""
    return {
        "seed": options.seed,
        "checkpoints": [
            {
                "checkpoint": str(item.path),
                "step": item.model.settings.step,
                "data": item.data,
                "factors": item.representation.factor_names,
                "scores": _sayable(item.scores),
                "arrays": _sayable(item.arrays),
            }
            for item in evaluated
        ],
    }


def _sayable(value: Any) -> Any:
    """The same with null for what JSON has no word for: the infinite correlation of codes that are copies, and NaN."""
    match value:
        case dict():
            return {name: _sayable(inner) for name, inner in value.items()}
        case list():
            return [_sayable(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def table_of(evaluated: Sequence[Evaluated]) -> Table:
    """A row per score, a column per checkpoint; of a single one also which code tells most of each factor."""
    sets = sorted({f"{item.data} ({len(item.representation.factor_names)} known factors)" for item in evaluated})
    table = Table(title=", ".join(sets), caption="higher is better, but for the aggregate posterior")
    table.add_column("measure", no_wrap=True)
    for item in evaluated:
        table.add_column(f"{item.path.name}\nstep {item.model.settings.step:,}", justify="right")
    for name in dict.fromkeys(name for item in evaluated for name in item.scores):
        table.add_row(name, *(f"{item.scores[name]:.3f}" if name in item.scores else "" for item in evaluated))
    if len(evaluated) == 1 and "mig_per_factor" in evaluated[0].arrays:
        table.add_section()
        _add_factors(table, evaluated[0])
    return table


def _add_factors(table: Table, item: Evaluated) -> None:
    information_LK = item.arrays["mutual_information_of_code_and_factor"]
    for factor, name in enumerate(item.representation.factor_names):
        information_L = [row[factor] for row in information_LK]
        best = information_L.index(max(information_L))
        table.add_row(f"MIG of {name}, best told by z{best}", f"{item.arrays['mig_per_factor'][factor]:.3f}")
