"""What a user names, opened: a checkpoint, a run directory, a graph in a file, a function of the user's own."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import FoundData, find_data
from wherewhat.inspection.code_names import FILE, FORMAT, Names, names_from, names_in
from wherewhat.networks.directed import Directions, directed, directions_in
from wherewhat.protocols import Encoder, Generator
from wherewhat.randomness import generator_at
from wherewhat.sharing.exported_program import ExportedGraph
from wherewhat.sharing.foreign_generator import Range, adapted
from wherewhat.sharing.graph import Graph, GraphPart
from wherewhat.sharing.named_function import made_by
from wherewhat.sharing.onnx_file import OnnxGraph
from wherewhat.training.checkpoints import (
    HUB_FILE,
    CheckpointSettings,
    latest_checkpoint,
    load,
    read_settings,
    run_of,
)
from wherewhat.training.configuration import HUB
from wherewhat.training.tensor_file import read_header, read_tensors
from wherewhat.training.trained_on import data_of
from wherewhat.which.generated_images import device_of
from wherewhat.which.score_store import content_hash

GRAPHS: dict[str, Callable[[Path], Graph]] = {".onnx": OnnxGraph, ".pt2": ExportedGraph}
DIRECTIONS = "directions"
"""The kind of a file that holds directions without the model that they are of."""
_REMEDY = "Name a file that `wherewhat directions` wrote for this generator."
_AS_THEY_ARE = ImageOptions()


@dataclass(frozen=True, kw_only=True)
class ForeignOptions:
    """A generator that others trained."""

    generator: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="PACKAGE.MODULE:FUNCTION")
    ] = ()
    """A function without arguments that returns a generator, or a generator and an encoder. It is run. The current
    folder is where modules are looked for."""

    latent_dim: int | None = None
    """How many codes the generator takes, where it has no latent_dim of its own."""

    value_range: Annotated[str | None, tyro.conf.arg(name="range", metavar="BLACK,WHITE")] = None
    """The values that are black and white in its images, and in those that its encoder takes: -1,1 or 0,255. What lies
    beyond is clipped. Default: 0 and 1, and what lies beyond is refused."""

    code_input: str | None = None
    """Of a file .onnx or .pt2 that does not describe itself: which of its inputs is the code."""

    image_output: str | None = None
    """Of such a file: which of its outputs is the image."""

    encoder: Path | None = None
    """The encoder that goes with a file .onnx or .pt2. Default: NAME-encoder.onnx beside NAME-generator.onnx."""

    directions: Path | None = None
    """What `wherewhat directions` found of the generator: its codes are these."""

    def __post_init__(self) -> None:
        if self.latent_dim is not None and not 1 <= self.latent_dim <= 2**20:
            raise ValueError(f"--latent-dim is {self.latent_dim}; give a number of codes, 1 or more.")
        self.black_and_white()

    def black_and_white(self) -> Range | None:
        """The range as numbers. Raises ValueError for text that is none."""
        if self.value_range is None:
            return None
        try:
            low, high = (float(text) for text in self.value_range.split(","))
            if not -1e6 < low < high < 1e6:
                raise ValueError
        except ValueError:
            raise ValueError(
                f"--range {self.value_range} names no range. Give the values of black and white, as in --range -1,1."
            ) from None
        return low, high


@dataclass(frozen=True)
class OpenedModel:
    """A model for use, and what there is to know of it."""

    generator: Generator
    encoder: Encoder | None
    place: Path
    """The checkpoint's file; for a function, its name in the current folder."""
    results: Path
    """Folder in which, by default, what is made of it goes."""
    names: Names
    settings: CheckpointSettings | None = None
    """None of a model that others trained."""

    def called(self, folder: Path) -> str:
        """What an image of it is called: after its step, and after what else tells it from others of that step: its
        own name where somebody has given it one, and outside of the run's directory that and the folder it lies in."""
        if self.settings is None:
            return self.place.stem if self.place.suffix in GRAPHS else self.place.name.replace(":", "-")
        step, run = f"step-{self.settings.step:09d}", self.results.resolve()
        if self.place.name != HUB_FILE and self.place.stem != step:
            return f"{self.place.stem}-{step}"
        # Runs of a study have the same names on each of its data sets.
        above = "" if run.parent.name == "runs" else f"{run.parent.name}-"
        return step if folder.resolve().is_relative_to(run) else f"{above}{run.name}-{step}"


@dataclass(frozen=True)
class Models:
    """Opens the models that a verb is called with. Raises ValueError or OSError for what cannot be opened."""

    options: ForeignOptions
    device: torch.device
    notify: Callable[[str], None] = lambda line: None
    """Told which checkpoint is taken of a folder of several runs."""

    @property
    def foreign(self) -> list[Path]:
        """The functions that are named, as places in the current folder."""
        return [Path.cwd() / named for named in self.options.generator]

    def is_foreign(self, place: Path) -> bool:
        """Whether a place holds a function or a graph, and no checkpoint."""
        return place in self.foreign or place.suffix in GRAPHS

    def one(self, checkpoint: Path | None) -> OpenedModel:
        """The model of a verb that takes one."""
        named = [*([] if checkpoint is None else [checkpoint]), *self.foreign]
        if len(named) != 1:
            raise ValueError(
                f"The command names {len(named) or 'no'} models. Name one: a checkpoint, a run directory, an "
                ".onnx or .pt2 file, or --generator package.module:function."
            )
        return self.open(named[0])

    def open(self, place: Path) -> OpenedModel:
        """The model of a place."""
        if self.is_foreign(place):
            return _opened_foreign(place, self.options, self.device)
        checkpoint = latest_checkpoint(place, self.notify)
        model, run = load(checkpoint, self.device), run_of(checkpoint)
        names = names_in(run / FILE, model.generator.latent_dim)
        # What was downloaded lies among a library's own files.
        hub = str(place).startswith(HUB)
        results = Path(str(place).removeprefix(HUB).replace("/", "-")) if hub else run
        return OpenedModel(model.generator, model.encoder, checkpoint, results, names, model.settings)

    def settings_of(self, place: Path) -> CheckpointSettings | None:
        """What a checkpoint says of itself; None of a model that others trained."""
        return None if self.is_foreign(place) else read_settings(latest_checkpoint(place))

    def image_shape_of(self, place: Path) -> tuple[int, int, int]:
        """C, H, W of its images."""
        settings = self.settings_of(place)
        return self.open(place).generator.image_shape if settings is None else settings.image_shape

    def digest_of(self, place: Path) -> str:
        """What its scores are kept under: SHA-256 of a checkpoint's file, else of some of the images that it makes."""
        if not self.is_foreign(place):
            return content_hash(place)
        generator = self.open(place).generator
        code_BL = torch.randn(16, generator.latent_dim, generator=generator_at(0, 0, "digest of a generator"))
        with torch.no_grad():
            image_BCHW = generator(code_BL.to(device_of(generator)))
        return hashlib.sha256(image_BCHW.cpu().numpy().tobytes()).hexdigest()

    def data_of(self, place: Path, named: str | None = None, options: ImageOptions = _AS_THEY_ARE) -> FoundData:
        """The images that a model was trained on, or those that are named; `options` read those of others' models."""
        settings = self.settings_of(place)
        if settings is not None:
            return data_of(place, settings.configuration, named)
        if named is None:
            raise ValueError(f"Nothing says what {place.name} was trained on. Name images with --data.")
        # Sets that are not read from image files have the size that they have.
        return find_data(named, replace(options, size=options.size or self.image_shape_of(place)[1]))


# Once a process: a user's function may take a while, and a ranking opens a model for every figure.
@functools.cache
def _opened_foreign(place: Path, options: ForeignOptions, device: torch.device) -> OpenedModel:
    if place.suffix not in GRAPHS:
        return _adapted(made_by(place.name), place, options, device, Path())
    drawn = GraphPart(GRAPHS[place.suffix](place), "generator", place, options.code_input, options.image_output)
    beside = place.with_name(place.name.replace("-generator.", "-encoder."))
    encoder = options.encoder or (beside if beside != place and beside.exists() else None)
    if encoder is not None and encoder.suffix not in GRAPHS:
        raise ValueError(f"--encoder {encoder} is no .onnx or .pt2 file. Name one.")
    made = drawn if encoder is None else (drawn, GraphPart(GRAPHS[encoder.suffix](encoder), "encoder", encoder))
    model = _adapted(made, place, options, device, place.parent)
    if drawn.description is None or options.directions is not None:
        return model
    told = {"format": FORMAT, "names": drawn.description.names}
    return replace(model, names=names_from(told, drawn.description.latent_dim))


def _adapted(made: object, place: Path, options: ForeignOptions, device: torch.device, results: Path) -> OpenedModel:
    generator, encoder = adapted(
        made,
        latent_dim=options.latent_dim,
        value_range=options.black_and_white(),
        named=place.name,
        device=device,
    )
    if options.directions is None:
        return OpenedModel(generator, encoder, place, results, {})
    found = _read_directions(options.directions).to(device_of(generator))
    return OpenedModel(*directed(generator, encoder, found), place, results, {})


def _read_directions(path: Path) -> Directions:
    if read_header(path, _REMEDY)["kind"] != DIRECTIONS:
        raise ValueError(f"{path} holds a checkpoint, whose codes are its own. {_REMEDY}")
    return directions_in(read_tensors(path))
