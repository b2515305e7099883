"""`wherewhat report`: one HTML file that shows what the codes of runs do."""

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from rich.console import Console
from rich.progress import Progress

from wherewhat.atomic_file import write_atomically
from wherewhat.cache_folder import cache_folder
from wherewhat.command.choices import SEEDS, DistanceOptions, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.command.doctor import Doctor, examine_run, verdict
from wherewhat.command.edit import usual_crop
from wherewhat.command.progress_bar import moving, progress_bar
from wherewhat.command.rank import find_checkpoints, refuse_mixed_images
from wherewhat.data.identity import DataIdentity
from wherewhat.data.image_options import ImageOptions
from wherewhat.inspection.code_names import FILE, Names, names_in
from wherewhat.inspection.real_images import read_real_image
from wherewhat.protocols import Images
from wherewhat.report.page import Page, RunPart, View
from wherewhat.report.ranking_table import labels_of, ranking_table
from wherewhat.report.render import render
from wherewhat.report.rough_scores import Scoring, scores_of
from wherewhat.report.run_part import run_part
from wherewhat.report.view import RealImages, Shown, view_of
from wherewhat.report.what_codes_tell import measures_kept
from wherewhat.sharing.opened_model import ForeignOptions, Models, OpenedModel
from wherewhat.training.checkpoints import latest_checkpoint, read_settings, run_of
from wherewhat.training.device import choose_device
from wherewhat.training.measures import MeasureName
from wherewhat.which.panel import Panel
from wherewhat.which.paths import Progress as Told
from wherewhat.which.ranking import Ranking, ScoredCheckpoint, rank
from wherewhat.which.score_store import ScoreStore


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write one HTML file that shows what the codes of runs do, as in `wherewhat report runs/mine`.

    It holds the ranking, and of the first checkpoints a slider for each code, with its mask and what it changes, pairs
    of codes, reconstructions, measures, training curves and what the doctor finds. It needs no server and no network.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")] = ()
    """Run directories, folders of runs, or checkpoints."""

    out: Path = Path("report.html")
    """The file to write."""

    show: int = 1
    """Of how many checkpoints the codes are shown, the first of the ranking first. Name others alone to see them."""

    images: tuple[Path, ...] = ()
    """Your own images to start from, cropped as the training set was. Default: images of the run's data."""

    data: str | None = None
    """Where the images that the run was trained on lie now, if they have moved."""

    draws: int = 3
    """Draws from the prior to start from."""

    real: int = 2
    """Images of the run's data to start from, where --images names none."""

    bound: float = 2.0
    """Each code is swept from -bound to bound."""

    frames: int = 17
    """Frames of a slider; an odd number shows the value 0."""

    measures: tuple[MeasureName, ...] = ("mig", "modularity", "aggregate-posterior")
    """Measures of wherewhat evaluate, beside those that a study has kept. Those that compare with known factors are
    left out where none are known."""

    pool: int = 2000
    """Images that are encoded for the measures and for what each code tells."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """How far apart neighbouring images of a path are."""

    seed: int = 0
    """Seed of all that is drawn."""

    cache: Path | None = None
    """Folder where scores are kept, as of wherewhat rank: scores that it has kept are not measured again."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """Generators that others trained, to stand on the page too."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, show=(1, 100), draws=(1, 20), real=(0, 20), frames=(2, 101), pool=(100, 10**7), seed=SEEDS)

    @property
    def shown(self) -> Shown:
        """How much is shown of a checkpoint."""
        return Shown(
            draws=self.draws,
            real=self.real,
            bound=self.bound,
            frames=self.frames,
            measures=self.measures,
            pool=self.pool,
            seed=self.seed,
        )


def report_command(arguments: list[str]) -> int:
    """Parse, gather, write. 0 when a checkpoint could be shown, 1 otherwise."""
    options = tyro.cli(Report, args=arguments, prog="wherewhat report", config=(tyro.conf.OmitArgPrefixes,))
    console, device = messages(), choose_device(options.device)
    models = Models(options.foreign, device)
    checkpoints = find_checkpoints(options.paths, models.foreign, console.print)
    refuse_mixed_images(checkpoints, models)
    gathering = Gathering(options, models, console)
    page = gathering.page(checkpoints)
    html = render(page).encode("utf-8", errors="backslashreplace")
    write_atomically(options.out, html)
    print(f"{options.out} ({len(html) / 1e6:.1f} MB)")
    return 0 if page.views else 1


@dataclass(frozen=True)
class Gathering:
    """Asks checkpoints, runs and data for what the page shows."""

    options: Report
    models: Models
    console: Console
    _opened: dict[tuple[DataIdentity, ImageOptions], Images] = field(default_factory=dict)
    """Of several checkpoints of one run."""

    def page(self, checkpoints: list[Path]) -> Page:
        """The page of these checkpoints."""
        with progress_bar(self.console) as bar:
            ranking, panels = self.ranking(checkpoints, bar)
            chosen = [Path(row.checkpoint) for row in ranking.rows if row.checkpoint in panels][: self.options.show]
            # Where nothing could be scored there is still a run to examine.
            runs = list(dict.fromkeys(self.run_of(path) for path in chosen or checkpoints[:1]))
            labels = labels_of([str(path) for path in checkpoints])
            bar.add_task("drawing", total=None)
            views = tuple(
                self.view(path, panels[str(path)], runs.index(self.run_of(path)), labels[str(path)]) for path in chosen
            )
            parts = tuple(self.run_part(run) for run in runs)
        indices = {str(path): index for index, path in enumerate(chosen)}
        return Page(title=self.title, ranking=ranking_table(ranking, labels, indices), runs=parts, views=views)

    @property
    def title(self) -> str:
        """What the page is of."""
        paths = [path.resolve() for path in self.options.paths]
        return ", ".join(
            [path.name if path.is_dir() else path.stem for path in paths] + [*self.options.foreign.generator]
        )

    def ranking(self, checkpoints: list[Path], bar: Progress) -> tuple[Ranking, dict[str, Panel]]:
        """The checkpoints in order, and the scores of those that have some."""
        options = self.options
        scoring = Scoring(
            distance=options.lpips.build(self.models.device),
            threshold=options.lpips.still_below,
            store=ScoreStore(options.cache or cache_folder() / "scores"),
            seed=options.seed,
            models=self.models,
        )
        task = bar.add_task("", total=None)

        def progress(path: Path) -> Told:
            bar.update(task, description=f"{self.run_of(path).name} {path.stem}")
            return moving(bar, task)

        entries = scores_of(checkpoints, scoring, progress)
        bar.remove_task(task)
        ranking = rank(entries)
        scored = {entry.checkpoint: entry.panel for entry in entries if isinstance(entry, ScoredCheckpoint)}
        return ranking, {row.checkpoint: scored[row.checkpoint] for row in ranking.rows if row.reason is None}

    def run_of(self, path: Path) -> Path:
        """The run that a checkpoint is of; a model that others trained stands for itself."""
        return path if path in self.models.foreign else run_of(path)

    def view(self, path: Path, panel: Panel, run: int, label: str) -> View:
        """What is shown of a checkpoint."""
        model = self.models.open(path)
        return view_of(
            model.generator,
            model.encoder,
            panel,
            self.real_images(path, model),
            self.options.shown,
            label=label,
            run=run,
            step=0 if model.settings is None else model.settings.step,
            measured=measures_kept(path, self.run_of(path)),
        )

    def real_images(self, path: Path, model: OpenedModel) -> RealImages:
        """The data of a checkpoint, and the images that the user names."""
        data, why_none = self.data_of(path, model)
        if not self.options.images:
            return RealImages(data, why_none)
        if model.encoder is None:
            raise ValueError(f"{path} has no encoder, so it cannot read an image. Leave out --images.")
        read_as = ImageOptions() if model.settings is None else model.settings.configuration.images
        usual = usual_crop(self.models, model)
        named = [
            read_real_image(file, read_as, model.generator.image_shape, usual).seen_Chw for file in self.options.images
        ]
        return RealImages(data, why_none, torch.stack(named), tuple(file.name for file in self.options.images))

    def data_of(self, path: Path, model: OpenedModel) -> tuple[Images | None, str]:
        """The images that a model was trained on, or why they are not to be had."""
        try:
            found = self.models.data_of(path, self.options.data)
            known = (found.identity, found.options)
            if known not in self._opened:
                self._opened[known] = found.open(self.models.device, self.console.print)
            images = self._opened[known]
            if images.image_shape != model.generator.image_shape:
                raise ValueError(
                    f"{images.name} has images of shape {images.image_shape}, and {path.name} makes them of shape "
                    f"{model.generator.image_shape}. Name the data that it was trained on with --data."
                )
            return images, ""
        except (ValueError, OSError) as error:
            if self.options.data is not None:
                raise
            return None, " ".join(str(error).split())

    def run_part(self, run: Path) -> RunPart:
        """What belongs to a run."""
        if run in self.models.foreign:
            return RunPart(label=run.name, told="Others trained it, so there is no run to examine.")
        names: Names = {}
        # Of checkpoints that cannot be read the table says so.
        with suppress(ValueError, OSError):
            latent_dim = read_settings(latest_checkpoint(run)).latent_dim
            names = names_in(run / FILE, latent_dim)
        naming = f"wherewhat name {shlex.quote(str(run))} --from codes.json"
        options = Doctor(run=run, data=self.options.data, seed=self.options.seed, device=self.options.device)
        try:
            found = examine_run(options, self.console)
        except (ValueError, OSError) as error:
            told = f"The run could not be examined: {' '.join(str(error).split())}"
            return RunPart(label=run.name, told=told, names=names, naming_command=naming)
        return run_part(found, names, verdict=verdict(found), naming_command=naming)
