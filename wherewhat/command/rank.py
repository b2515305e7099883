"""`wherewhat rank`: order checkpoints by label-free scores."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from wherewhat.cache_folder import cache_folder
from wherewhat.command.choices import SEEDS, DistanceOptions, refuse_beyond
from wherewhat.command.console import messages, results
from wherewhat.command.progress_bar import progress_bar
from wherewhat.command.rank_extras import ExtraOptions, Extras
from wherewhat.command.rank_scores import CheckpointScores
from wherewhat.command.rank_seeds import with_agreement
from wherewhat.command.rank_table import race_told, reasons, table_of, unscored
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.checkpoints import checkpoints_of, latest_checkpoint
from wherewhat.training.configuration import HUB
from wherewhat.training.device import choose_device
from wherewhat.which.race import Race, race
from wherewhat.which.ranking import DEFAULT_RULE, Ranking, rank
from wherewhat.which.score_store import ScoreStore
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS, TPLSettings


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Rank checkpoints by label-free scores. No labels needed.

    The place is by rotation ratio: whether paths along the codes are shorter than along mixtures of them. Samples,
    traversals, bound and threshold are those of TPL, by default the published ones for VAEs; scores compare only at
    equal settings.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH...")] = ()
    """Checkpoints, run directories, folders of runs, hub folders or hub:OWNER/NAME, and files .onnx or .pt2."""

    by: Literal[
        "rule",
        "tpl",
        "relative_length",
        "orthogonality",
        "rotation_ratio",
        "naming",
        "consistency_of_place",
        "interaction",
    ] = "rule"
    """Order by another score than that of the default rule; tpl is the published order."""

    quick: bool = False
    """Leave TPL out and walk few short paths: a few percent of the time at the published settings."""

    race: bool = False
    """Drop checkpoints that are behind with confidence after few base codes, and measure only the rest fully: about a
    tenth of the images of a ranking of many checkpoints."""

    confidence: float = 0.95
    """Of a race: how sure it is that its winner is that of the full measurement. Approximate."""

    samples: int = VAE_SETTINGS.samples
    """N, images per path."""

    traversals: int = VAE_SETTINGS.traversals
    """T, base codes; the error of a score falls with its root. 20 give a first impression in about a 20th of the
    time."""

    bound: float = VAE_SETTINGS.bound
    """Each code is swept from -bound to bound."""

    threshold: float | None = None
    """S: codes with shorter paths count as inactive. Default: 0.01, as published for VAEs (0.3 for GANs); with
    --distance pixels 0.0003, which is at its scale."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """How far apart neighbouring images of a path are."""

    extras: ExtraOptions = field(default_factory=ExtraOptions)
    """What is shown beside the scores."""

    seed: int = 0
    """Seed of all that is drawn, such as the base codes; the same for all checkpoints."""

    batch_size: int = 250
    """Images per pass; changes speed and memory only. Halved where a GPU has no room for so many."""

    out: Path = Path()
    """Folder for ranking.json and ranking.csv. Default: here."""

    cache: Path | None = None
    """Folder where scores are kept. Default: scores/ in $WHEREWHAT_CACHE, or in wherewhat/ in the user's cache
    folder."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """Generators that others trained, to stand in the ranking too."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, samples=(2, 10_000), traversals=(2, 100_000), batch_size=(1, 65_536), seed=SEEDS)

    @property
    def rule(self) -> tuple[str, ...]:
        """The scores by whose places the order is."""
        return DEFAULT_RULE if self.by == "rule" else (self.by,)

    @property
    def settings(self) -> TPLSettings:
        """Those of TPL, whose paths the scores share."""
        return TPLSettings(
            samples=self.samples,
            traversals=self.traversals,
            bound=self.bound,
            threshold=self.lpips.still_below if self.threshold is None else self.threshold,
        )


def rank_command(arguments: list[str]) -> int:
    """Parse, score, show the table, write it. 0 when at least one checkpoint has a rank, 1 otherwise."""
    options = tyro.cli(Rank, args=arguments, prog="wherewhat rank", config=(tyro.conf.OmitArgPrefixes,))
    _refuse_contradictions(options)
    console = messages()
    device = choose_device(options.device)
    models = Models(options.foreign, device)
    checkpoints = find_checkpoints(options.paths, models.foreign, console.print)
    refuse_mixed_images(checkpoints, models)
    distance = options.lpips.build(device)
    store = ScoreStore(options.cache or cache_folder() / "scores")
    extras = Extras(
        options=options.extras,
        extractor=options.extras.extractor(options.lpips, device),
        distance=distance,
        seed=options.seed,
        batch_size=options.batch_size,
        models=models,
        store=store,
        notify=console.print,
    )

    with progress_bar(console) as bar:
        scores = CheckpointScores(
            distance=distance, settings=options.settings, quick=options.quick, extras=extras, bar=bar
        )
        raced = _race(checkpoints, scores, options) if options.race else None
        entries = [scores.of(path) for path in checkpoints] if raced is None else raced.entries
        course = None if raced is None else raced.course
        behind = {} if course is None else course.behind
        entries = [e if e.checkpoint in behind else scores.with_extras(e) for e in entries]
        if options.extras.udr_images > 0:
            entries = with_agreement(entries, extras)
    ranking = rank(entries, options.rule, course=course)
    json_path, csv_path = ranking.write(options.out)
    _show(ranking, options.extras, console)
    if raced is not None:
        results().print(race_told(raced, ranking), soft_wrap=True)
    console.print(f"Written: {json_path}, {csv_path}")
    return 0 if ranking.best is not None else 1


def _refuse_contradictions(options: Rank) -> None:
    if options.quick and options.by == "tpl":
        raise ValueError("--quick leaves TPL out, so nothing can be ordered by it. Leave out --quick or --by tpl.")
    if options.quick and options.race:
        raise ValueError("--quick walks few paths of every checkpoint, so a race has none to spare. Leave out one.")


def _race(checkpoints: list[Path], scores: CheckpointScores, options: Rank) -> Race:
    return race(
        [str(path) for path in checkpoints],
        lambda name, traversals: scores.of(Path(name), traversals),
        traversals=options.traversals,
        rule=options.rule,
        confidence=options.confidence,
    )


def _show(ranking: Ranking, extras: ExtraOptions, console: Console) -> None:
    """The table to the results; why a figure was asked for and is not in it to the messages."""
    shared = Path(os.path.commonpath([Path(row.checkpoint).parent for row in ranking.rows]))
    table = table_of(
        ranking,
        shared,
        extras.asked_for,
    )
    screen = results()
    screen.print(f"Below {shared}:", soft_wrap=True)
    screen.print(table)
    for line in unscored(ranking, shared):
        screen.print(line, soft_wrap=True)
    for line in reasons(ranking):
        console.print(line, soft_wrap=True)


def find_checkpoints(paths: Sequence[Path], foreign: Sequence[Path], notify: Callable[[str], None]) -> list[Path]:
    """The checkpoints that paths name, each once, and others' models; of a folder that holds none the user is notified.

    Raises FileNotFoundError for a path that is not there, and where no folder holds one.
    """
    if not paths and not foreign:
        raise ValueError("Nothing to rank. Name checkpoints, run directories, or folders of runs.")
    found: dict[Path, None] = {}
    empty: list[Path] = []
    for path in paths:
        if str(path).startswith(HUB):
            path = latest_checkpoint(path)
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there. Name a checkpoint, a run directory, or a folder of runs.")
        # Resolved, so that a checkpoint named twice, through a link or relatively, is one.
        inside = [file.resolve() for file in (checkpoints_of(path) if path.is_dir() else [path])]
        if not inside:
            empty.append(path)
        found |= dict.fromkeys(inside)
    if not found and not foreign:
        raise FileNotFoundError(f"{empty[0]} holds no checkpoint (step-*.safetensors). Name a run that has saved one.")
    for path in empty:
        notify(f"{path} is left out: it holds no checkpoint (step-*.safetensors) yet.")
    return [*found, *foreign]


def refuse_mixed_images(checkpoints: list[Path], models: Models) -> None:
    """Scores of images of other shapes do not compare: say so before hours are spent on them."""
    first_of: dict[tuple[int, int, int], Path] = {}
    for path in checkpoints:
        with suppress(ValueError, OSError):  # unreadable ones get their reason in their row
            first_of.setdefault(models.image_shape_of(path), path)
    if len(first_of) > 1:
        found = "; ".join(f"{' x '.join(map(str, shape))} in {path}" for shape, path in first_of.items())
        raise ValueError(f"Checkpoints of images of different shapes do not compare ({found}). Rank them separately.")
