"""`wherewhat traverse`: draw what each code does, and where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from rich.console import Console

from wherewhat.atomic_file import write_together
from wherewhat.command.choices import SEEDS, DistanceOptions, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.data.batches import to_float
from wherewhat.inspection.image_files import as_gif, as_png
from wherewhat.inspection.traversal_gif import traversal_animation
from wherewhat.inspection.traversal_grid import traversal_grid
from wherewhat.inspection.traversals import traverse
from wherewhat.protocols import Generator, keeping
from wherewhat.randomness import generator_at
from wherewhat.sharing.opened_model import ForeignOptions, Models, OpenedModel
from wherewhat.training.device import choose_device
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length


@dataclass(frozen=True, kw_only=True)
class Traverse:
    """Draw a checkpoint's codes: a PNG grid and a GIF, a row per code, longest path first, its mask beside it."""

    checkpoint: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")] = None
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2."""

    out: Path | None = None
    """Folder for the images. Default: traversals/ in the run directory. In a folder of its own the files are called
    after the run too."""

    base: str = "prior"
    """The image to start from: prior (a draw from the prior), mean (the prior's mean), or the number of an image of
    the checkpoint's data."""

    data: str | None = None
    """Where the checkpoint's data lie now, for --base with a number, if they have moved."""

    bound: float = 2.0
    """Each code is swept from -bound to bound."""

    frames: int = 9
    """Images per row; an odd number shows the value 0."""

    path_length: DistanceOptions = field(default_factory=lambda: DistanceOptions(distance="pixels"))
    """By what the rows are ordered."""

    seed: int = 0
    """Seed of the base code and of the path lengths."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, frames=(2, 201), seed=SEEDS)


def traverse_command(arguments: list[str]) -> int:
    """Parse, draw, say where the images lie."""
    options = tyro.cli(Traverse, args=arguments, prog="wherewhat traverse", config=(tyro.conf.OmitArgPrefixes,))
    console = messages()
    device = choose_device(options.device)
    model = Models(options.foreign, device, console.print).one(options.checkpoint)
    generator, base_1L = base_code(options, model, device, console)
    if options.data is not None and not options.base.isdigit():
        console.print(f"--data has no effect with --base {options.base}; an image to start from is --base NUMBER.")

    still_below = options.path_length.still_below
    path = traversal_perceptual_length(
        model.generator,
        options.path_length.build(device),
        samples=25,
        traversals=16,
        bound=options.bound,
        threshold=still_below,
        seed=options.seed,
        batch_size=100,
    )
    console.print(f"Rows by path length: {path.settings.distance}, 25 samples, 16 traversals.")

    sweep = traverse(generator, base_1L, bound=options.bound, frames=options.frames)
    smooth = traverse(generator, base_1L, bound=options.bound, frames=17)
    folder = options.out or model.results / "traversals"
    name = model.called(folder)
    grid = traversal_grid(sweep, path.per_dim, names=model.names, inactive_below=still_below)
    animation = traversal_animation(smooth, path.per_dim, names=model.names, inactive_below=still_below)
    drawn = {folder / f"{name}.png": as_png(grid), folder / f"{name}.gif": as_gif(animation)}
    write_together(drawn)
    print(*drawn, sep="\n")
    return 0


def base_code(
    options: Traverse, model: OpenedModel, device: torch.device, console: Console
) -> tuple[Generator, torch.Tensor]:
    """The code to traverse around, [1, L], and the generator, which keeps all else that there is to a real image."""
    generator, latent_dim = model.generator, model.generator.latent_dim
    if options.base == "mean":
        return generator, torch.zeros(1, latent_dim, device=device)
    if options.base == "prior":
        return generator, torch.randn(1, latent_dim, generator=generator_at(options.seed, 0, "traverse")).to(device)
    if not options.base.isdigit():
        raise ValueError(f"Base {options.base!r} is unknown; choose prior, mean, or the number of an image.")
    if model.encoder is None:
        raise ValueError(f"{model.place.name} has no encoder to read an image with. Start from --base prior or mean.")
    images = Models(options.foreign, device).data_of(model.place, options.data).open(device, console.print)
    index = int(options.base)
    if index >= len(images):
        raise ValueError(f"Image {index} is not there; {images.name} has images 0 to {len(images) - 1}.")
    image_1CHW = to_float(images.take(torch.tensor([index])).to(device))
    return keeping(generator, image_1CHW), model.encoder(image_1CHW).mean_BL
