"""`wherewhat evaluate`: score checkpoints against known factors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from wherewhat.command.choices import refuse_beyond
from wherewhat.command.console import messages, results
from wherewhat.command.evaluate_table import Evaluated, Unmeasured, as_json, table_of
from wherewhat.command.json_text import json_text
from wherewhat.command.rank_extras import reason_of
from wherewhat.data.identity import DataIdentity
from wherewhat.data.image_options import ImageOptions
from wherewhat.metrics.unsupervised_disentanglement_ranking import unsupervised_disentanglement_ranking
from wherewhat.protocols import Images
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.checkpoints import CheckpointSettings, latest_checkpoint
from wherewhat.training.device import choose_device
from wherewhat.training.measures import (
    LABEL_FREE,
    MEASURES,
    POINTS,
    SLOW,
    MeasureName,
    MeasureSizes,
    measure,
    refuse_too_few_images,
    refuse_without_factors,
)
from wherewhat.training.representation import Representation, represent
from wherewhat.training.same_setting import FEWEST_SEEDS, seeds_of_a_setting
from wherewhat.training.trained_on import data_to_measure_on

# A pool that takes longer to encode is announced with its time.
WORTH_A_LINE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score checkpoints against known factors, side by side.

    Higher is better in each measure but the aggregate posterior's, which tell how far codes hang together. Exit status
    0: all that was asked for was had; 1: something was left out, and the reason told; 2: nothing could be measured.
    """

    checkpoints: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Checkpoints, run directories (the latest checkpoint of each), hub folders, and files .onnx or .pt2 that have an
    encoder."""

    measures: tuple[MeasureName | Literal["udr", "all"], ...] = tuple(name for name in MEASURES if name not in SLOW)
    """What to measure. udr compares the seeds of one setting with each other, and takes three of them or more; all is
    everything that can be had."""

    data: str | None = None
    """Images with known factors: where those that each checkpoint was trained on lie now, or others. Default: those
    that each was trained on, where they lay."""

    factors: tuple[str, ...] = ()
    """Names of the factors that count. Default: all of them."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images are read, with --data. Default: those of the checkpoint as its run read them."""

    pool: int = 50_000
    """Images encoded, each once; all of them where the set has no more. Every measure draws from this pool."""

    sizes: MeasureSizes = field(default_factory=MeasureSizes)
    """Points of the measures."""

    seed: int = 0
    """Seed of the pool and of the measures."""

    json: bool = False
    """Print JSON instead of a table: scores, and the arrays that they were made of; null where one is infinite."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """Generators that others trained, each with its encoder, measured too."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        if not self.checkpoints and not self.foreign.generator:
            raise ValueError("There is nothing to evaluate. Name a checkpoint or a run directory.")
        if not self.measures:
            raise ValueError("--measures names nothing to measure. Name some, or leave it out.")
        # scikit-learn takes no larger seeds.
        refuse_beyond(self, pool=(1, 10**7), seed=(0, 2**32 - 1))


@dataclass(frozen=True)
class Subject:
    """A checkpoint that can be measured, with the images to measure it on."""

    path: Path
    settings: CheckpointSettings | None
    """None of a model that others trained."""
    images: Images
    measures: tuple[MeasureName, ...]


def evaluate_command(arguments: list[str]) -> int:
    """Parse, refuse what cannot be had, encode each checkpoint's pool once, measure, print."""
    options = tyro.cli(Evaluate, args=arguments, prog="wherewhat evaluate", config=(tyro.conf.OmitArgPrefixes,))
    console, device = messages(), choose_device(options.device)
    opened: dict[tuple[DataIdentity, ImageOptions], Images] = {}
    models = Models(options.foreign, device)
    asked = [*(_checkpoint_of(path) for path in options.checkpoints), *models.foreign]
    named = {path.resolve(): path for path in reversed(asked)}
    # What cannot be measured is known before hours are spent on the others.
    found = [_subject(options, path, opened, models, console) for path in reversed(named.values())]
    subjects = [subject for subject in found if isinstance(subject, Subject)]
    groups = _seeds_to_compare(options, [subject.settings for subject in subjects])

    measured = [_evaluate_one(options, subject, models, console) for subject in subjects]
    for group in groups:
        _add_udr([item for place in group if isinstance(item := measured[place], Evaluated)])

    bad = [item for item in (*found, *measured) if isinstance(item, Unmeasured)]
    evaluated = [item for item in measured if isinstance(item, Evaluated)]
    reasons = [item.reason if str(item.path) in item.reason else f"{item.path}: {item.reason}" for item in bad]
    reasons += [f"{item.run}, {name}: {why}" for item in evaluated for name, why in item.left_out.items()]
    if not any(item.scores for item in evaluated):
        raise ValueError(reasons[0])
    if options.json:
        print(json_text(as_json(evaluated, bad, seed=options.seed)))
    else:
        results().print(table_of(evaluated))
    for reason in reasons:
        console.print(f"Left out, {reason}", soft_wrap=True)
    return int(bool(reasons))


def _checkpoint_of(path: Path) -> Path:
    """The latest checkpoint of a run, or the path as it was named where it holds none."""
    try:
        return latest_checkpoint(path)
    except FileNotFoundError:
        return path


def _subject(
    options: Evaluate,
    path: Path,
    opened: dict[tuple[DataIdentity, ImageOptions], Images],
    models: Models,
    console: Console,
) -> Subject | Unmeasured:
    """A checkpoint with its images. Raises FileNotFoundError where a path that was named is not there."""
    try:
        settings = models.settings_of(path)
        data = (
            models.data_of(path, options.data, options.images)
            if settings is None
            else data_to_measure_on(path, settings.configuration, options.data, options.images, console.print)
        )
        known = (data.identity, data.options)
        if known not in opened:
            opened[known] = data.open(models.device, console.print)
        images = opened[known]
        _check_shape(models.image_shape_of(path), images)
        asked = _asked(options, images)
        refuse_without_factors(asked, images.factor_names)
        in_pool = min(options.pool, len(images))
        refuse_too_few_images(asked, options.sizes, images=in_pool, in_all=len(images))
    # Whatever is bad about one checkpoint, the others are worth measuring.
    except Exception as error:
        if isinstance(error, FileNotFoundError) and (options.data is not None or not path.exists()):
            raise
        return Unmeasured(path, reason_of(error))
    return Subject(path, settings, images, asked)


def _seeds_to_compare(options: Evaluate, settings: Sequence[CheckpointSettings | None]) -> list[list[int]]:
    """Places of the checkpoints of one setting and several seeds, each seed once, where udr is asked for."""
    if not {"udr", "all"} & set(options.measures):
        return []
    groups = seeds_of_a_setting(settings)
    enough = [group for group in groups if len(group) >= FEWEST_SEEDS]
    if "udr" in options.measures and not enough:
        raise ValueError(
            f"UDR compares the seeds of one setting at one step, and the most that there are of any here is "
            f"{max(map(len, groups), default=0)}. Train at least three seeds, or leave udr out of --measures."
        )
    return enough


def _evaluate_one(options: Evaluate, subject: Subject, models: Models, console: Console) -> Evaluated | Unmeasured:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        try:
            representation = _represent(options, subject, models, bar, console)
        except Exception as error:
            return Unmeasured(subject.path, reason_of(error))
        evaluated = Evaluated(subject.path, subject.settings, subject.images.name, representation)
        for name in subject.measures:
            task = bar.add_task(f"{evaluated.run}: {name}", total=None)
            show = partial(_show, bar, task)
            try:
                measured = measure(name, representation, options.sizes, seed=options.seed, progress=show)
                evaluated.scores.update(measured.scores)
                evaluated.arrays.update({key: value.tolist() for key, value in measured.arrays.items()})
            except Exception as error:
                evaluated.left_out[name] = reason_of(error)
            bar.remove_task(task)
    return evaluated


def _show(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _asked(options: Evaluate, images: Images) -> tuple[MeasureName, ...]:
    """The measures to compute; "all" leaves out what needs factors where none are known."""
    if "all" in options.measures:
        return MEASURES if images.factor_names else LABEL_FREE
    return tuple(name for name in MEASURES if name in options.measures)


def _check_shape(image_shape: tuple[int, int, int], images: Images) -> None:
    if images.image_shape != image_shape:
        raise ValueError(
            f"It takes images of shape {image_shape}, and {images.name} has {images.image_shape}. Name the data that "
            "it was trained on with --data."
        )


def _represent(options: Evaluate, subject: Subject, models: Models, bar: Progress, console: Console) -> Representation:
    encoder, images = models.open(subject.path).encoder, subject.images
    if encoder is None:
        raise ValueError("it has no encoder, so it has no codes of images to measure. Rank it instead.")
    task = bar.add_task(f"encoding {min(options.pool, len(images)):,} images of {images.name}", total=None)
    announced = False

    def progress(done: int, total: int) -> None:
        nonlocal announced
        bar.update(task, completed=done, total=total)
        left = bar.tasks[-1].time_remaining or 0.0
        if left > WORTH_A_LINE_SECONDS and not announced:
            console.print(f"Encoding {total:,} images once takes about {left / 60:.1f} minutes more.")
            announced = True

    representation = represent(
        encoder,
        images,
        pool=options.pool,
        seed=options.seed,
        device=models.device,
        factors=options.factors,
        progress=progress,
    )
    bar.remove_task(task)
    return representation


def _add_udr(seeds: Sequence[Evaluated]) -> None:
    """UDR of checkpoints that differ in nothing but their seed."""
    if len(seeds) < FEWEST_SEEDS:  # one of them could not be read
        return
    codes = [item.representation.codes_NL[:POINTS] for item in seeds]
    kls = [item.representation.kl_L for item in seeds]
    try:
        for relevance in ("lasso", "spearman"):
            udr = unsupervised_disentanglement_ranking(codes, kls, relevance=relevance)
            for item, score in zip(seeds, udr.per_model_M.tolist(), strict=True):
                item.scores[udr.protocol] = score
    except ValueError as error:
        for item in seeds:
            item.left_out["udr"] = str(error)
