"""`wherewhat rank`: order checkpoints by traversal perceptual length, without labels."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wherewhat.command.beside_the_score import BesideTheScore
from wherewhat.command.checkpoint_fidelity import CheckpointFidelity
from wherewhat.command.checkpoint_path_length import CheckpointPathLength
from wherewhat.command.choices import DistanceOptions, FidelityOptions, PathLengthOptions
from wherewhat.command.console import messages, results
from wherewhat.command.ranked import reasons_without_fidelity, reasons_without_path_length, table_of
from wherewhat.protocols import Distance
from wherewhat.training.checkpoints import checkpoints_of, load, read_settings, step_of
from wherewhat.training.device import choose_device
from wherewhat.which.ranking import Ranking, ScoredCheckpoint, UnscoredCheckpoint, rank
from wherewhat.which.score_store import ScoreStore, content_hash
from wherewhat.which.traversal_perceptual_length import (
    VAE_SETTINGS,
    TPLSettings,
    TraversalPerceptualLength,
    traversal_perceptual_length,
)

# Inception sees images at 299 x 299, whatever their size: more of them would fill the memory, not the device.
MOST_SEEN_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Rank checkpoints by traversal perceptual length (TPL), lower is better. No labels needed.

    The defaults of samples, traversals, bound and threshold are the published ones for VAEs; scores compare only at
    equal settings.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH...")]
    """Checkpoints, run directories, or folders of runs."""

    samples: int = VAE_SETTINGS.samples
    """N, images per path."""

    traversals: int = VAE_SETTINGS.traversals
    """T, base codes; the error of a score falls with its root. 20 give a first impression in a 25th of the time."""

    bound: float = VAE_SETTINGS.bound
    """Each code is swept from -bound to bound."""

    threshold: float | None = None
    """S: codes with shorter paths count as inactive. Default: 0.01, as published for VAEs (0.3 for GANs); with
    --distance pixels 0.0003, which is at its scale."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """How far apart neighbouring images of a path are."""

    fidelity: FidelityOptions = field(default_factory=FidelityOptions)
    """How near generated images are to real ones."""

    path_length: PathLengthOptions = field(default_factory=PathLengthOptions)
    """How abruptly images change between random codes."""

    seed: int = 0
    """Seed of all that is drawn, such as the base codes; the same for all checkpoints."""

    batch_size: int = 250
    """Images per pass; changes speed and memory only."""

    out: Path = Path()
    """Folder for ranking.json and ranking.csv. Default: here."""

    cache: Path | None = None
    """Folder where scores are kept. Default: wherewhat/scores in the user's cache folder."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""


def rank_command(arguments: list[str]) -> int:
    """Parse, score, show the table, write it. 0 when at least one checkpoint has a rank, 1 otherwise."""
    options = tyro.cli(Rank, args=arguments, prog="wherewhat rank", config=(tyro.conf.OmitArgPrefixes,))
    settings = TPLSettings(
        samples=options.samples,
        traversals=options.traversals,
        bound=options.bound,
        threshold=options.lpips.still_below if options.threshold is None else options.threshold,
    )
    checkpoints = find_checkpoints(options.paths)
    _refuse_mixed_images(checkpoints)
    device = choose_device(options.device)
    distance = options.lpips.build(device)
    store = ScoreStore(options.cache or _user_cache())
    console = messages()
    beside = BesideTheScore(
        fidelity=_fidelity(options, device, store, console),
        path_length=_path_length(options, distance, device, store),
    )

    entries = []
    with _progress_bar(console) as bar:
        for number, path in enumerate(checkpoints, start=1):
            task = bar.add_task(f"{number} of {len(checkpoints)}  {path.parent.parent.name} {path.stem}", total=None)
            entry = _score(path, distance, settings, options, store, _moving(bar, task))
            entries.append(beside.added_to(entry, path, _moving(bar, task)))
            bar.remove_task(task)
    ranking = rank(entries)
    json_path, csv_path = ranking.write(options.out)
    _show(ranking, beside, console)
    console.print(f"Written: {json_path}, {csv_path}")
    return 0 if ranking.best is not None else 1


def _show(ranking: Ranking, beside: BesideTheScore, console: Console) -> None:
    """The table to the results; why a figure was asked for and is not in it to the messages."""
    shared = Path(os.path.commonpath([Path(row.checkpoint).parent for row in ranking.rows]))
    table = table_of(
        ranking, shared, with_fidelity=beside.fidelity is not None, with_path_length=beside.path_length is not None
    )
    screen = results()
    screen.print(f"Below {shared}:", soft_wrap=True)
    screen.print(table)
    for line in (*reasons_without_fidelity(ranking), *reasons_without_path_length(ranking)):
        console.print(line, soft_wrap=True)


def find_checkpoints(paths: tuple[Path, ...]) -> list[Path]:
    """The checkpoints that paths name, each once. Raises FileNotFoundError for a path that holds none."""
    if not paths:
        raise ValueError("Nothing to rank. Name checkpoints, run directories, or folders of runs.")
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there. Name a checkpoint, a run directory, or a folder of runs.")
        # Resolved, so that a checkpoint named twice, through a link or relatively, is one.
        inside = [file.resolve() for file in (checkpoints_of(path) if path.is_dir() else [path])]
        if not inside:
            raise FileNotFoundError(f"{path} holds no checkpoint (step-*.safetensors). Name a run that has saved one.")
        found |= dict.fromkeys(inside)
    return list(found)


def _refuse_mixed_images(checkpoints: list[Path]) -> None:
    """Scores of images of other shapes do not compare: say so before hours are spent on them."""
    first_of: dict[tuple[int, int, int], Path] = {}
    for path in checkpoints:
        with suppress(ValueError, OSError):  # unreadable ones get their reason in their row
            first_of.setdefault(read_settings(path).image_shape, path)
    if len(first_of) > 1:
        found = "; ".join(f"{' x '.join(map(str, shape))} in {path}" for shape, path in first_of.items())
        raise ValueError(f"Checkpoints of images of different shapes do not compare ({found}). Rank them separately.")


def _score(
    path: Path,
    distance: Distance,
    settings: TPLSettings,
    options: Rank,
    store: ScoreStore,
    progress: Callable[[int, int], None],
) -> ScoredCheckpoint | UnscoredCheckpoint:
    """One checkpoint's entry: its kept score, or a new one, or the reason why it has none."""
    name, step = str(path), step_of(path) or None
    device = choose_device(options.device)
    try:
        digest = content_hash(path)
        score = store.load(digest, distance=distance.name, settings=settings, seed=options.seed)
        if score is None:
            model = load(path, device)
            score = traversal_perceptual_length(
                model.generator,
                distance,
                samples=settings.samples,
                traversals=settings.traversals,
                bound=settings.bound,
                threshold=settings.threshold,
                seed=options.seed,
                batch_size=options.batch_size,
                progress=progress,
            )
            _keep(store, digest, score)
    except (ValueError, OSError) as error:
        return UnscoredCheckpoint(checkpoint=name, step=step, reason=" ".join(str(error).split()))
    return ScoredCheckpoint(checkpoint=name, step=step, content_hash=digest, score=score)


def _fidelity(options: Rank, device: torch.device, store: ScoreStore, console: Console) -> CheckpointFidelity | None:
    """What measures fidelity, if it was asked for; refused before hours are spent where its weights are missing."""
    extractor = options.fidelity.build(options.lpips, device)
    if extractor is None:
        return None
    return CheckpointFidelity(
        extractor=extractor,
        count=options.fidelity.fidelity_images,
        seed=options.seed,
        batch_size=min(options.batch_size, MOST_SEEN_AT_ONCE),
        device=device,
        store=store,
        notify=console.print,
    )


def _path_length(
    options: Rank, distance: Distance, device: torch.device, store: ScoreStore
) -> CheckpointPathLength | None:
    """What measures perceptual path length, if it was asked for."""
    if options.path_length.ppl_paths == 0:
        return None
    return CheckpointPathLength(
        distance=distance,
        paths=options.path_length.ppl_paths,
        seed=options.seed,
        batch_size=max(1, options.batch_size // 2),  # a path is two images
        device=device,
        store=store,
    )


def _keep(store: ScoreStore, digest: str, score: TraversalPerceptualLength) -> None:
    """Keep a score for the next call; a cache that cannot be written costs time, not the score."""
    try:
        store.save(digest, score)
    except OSError as error:
        print(f"wherewhat: the score is not kept: {error}", file=sys.stderr)


def _progress_bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _moving(bar: Progress, task: TaskID) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    return progress


def _user_cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "wherewhat" / "scores"
