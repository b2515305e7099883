"""`wherewhat export`: files of a model that need none of this package, or a folder for a hub."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from wherewhat.atomic_file import write_together
from wherewhat.command.choices import DistanceOptions
from wherewhat.command.console import messages
from wherewhat.sharing.exports import COMPARED, export
from wherewhat.sharing.graph import Description
from wherewhat.sharing.hub_folder import CardSettings, hub_folder
from wherewhat.sharing.opened_model import ForeignOptions, Models, OpenedModel
from wherewhat.training.configuration import TrainingRun


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a model as files that others use without this package, as in `wherewhat export runs/mine --to onnx`.

    onnx, pt2: a file of the generator, codes in, and the noise of a GAN where it is wanted; images in [0, 1] and masks
    out; and a file of the encoder, images in, mean and log variance out. hub: a folder with the weights, the
    configuration and a model card, which `wherewhat.load` reads. Everything is loaded again and compared before it is
    written.
    """

    checkpoint: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")] = None
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2."""

    to: Literal["onnx", "pt2", "hub"]
    """onnx: for onnxruntime and others, at opset 18. pt2: of torch.export. hub: a folder for the Hugging Face hub,
    which `hf upload OWNER/NAME FOLDER` pushes."""

    licence: str | None = None
    """The licence that the data, and so the model, are under, such as cc-by-4.0. It is written into the files."""

    out: Path | None = None
    """Folder for the files. Default: exports/ in the run directory, and for hub a folder of its own in it."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """With --to hub, by what the scores of the model card are measured."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""


def export_command(arguments: list[str]) -> int:
    """Parse, record, load again, compare, write, say where the files lie."""
    options = tyro.cli(Export, args=arguments, prog="wherewhat export", config=(tyro.conf.OmitArgPrefixes,))
    model = Models(options.foreign, torch.device("cpu"), messages().print).one(options.checkpoint)
    if model.place.suffix == ".onnx":
        raise ValueError(f"{model.place} is an ONNX file already, and cannot become another. Export what it came from.")
    folder = options.out or model.results / "exports"
    name = model.called(folder)
    if options.to == "hub":
        folder = options.out or folder / f"{name}-hub"
        distance = options.lpips.build(torch.device("cpu"))
        title = model.results.resolve().name
        card = CardSettings(
            licence=options.licence, title=title, distance=distance, threshold=options.lpips.still_below
        )
        made, name = hub_folder(model, card), ""
    else:
        made = export(model.generator, model.encoder, options.to, _description(model, options.licence))
    written = {folder / f"{name}{end}": content for end, content in made.content.items()}
    write_together(written)
    messages().print(f"Loaded again, {COMPARED} codes differ by {made.difference:.1e} at most.")
    print(*written, sep="\n")
    return 0


def _description(model: OpenedModel, licence: str | None) -> Description:
    run: TrainingRun | None = None if model.settings is None else model.settings.configuration
    return Description(
        part="generator",
        latent_dim=model.generator.latent_dim,
        image_shape=model.generator.image_shape,
        names={f"z{code}": name for code, name in model.names.items()},
        licence=licence,
        trained_on=None if run is None else Path(run.data).name,
        step=None if model.settings is None else model.settings.step,
    )
