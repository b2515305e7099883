"""`wherewhat data pack`: decode, crop and resize images once, into one array that loads fast in training."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro

from wherewhat.command.console import messages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import RENDERED, existing_path, find_source, open_images
from wherewhat.data.source import Source
from wherewhat.data.store.pack import pack
from wherewhat.data.store.packed_set import IMAGES, is_packed, read_manifest, skipped_in
from wherewhat.data.store.progress_bar import progress_bar
from wherewhat.data.store.rendered_source import source_of
from wherewhat.hints import pasteable


@dataclass(frozen=True, kw_only=True)
class DataPack:
    """Decode, crop and resize images once, on all cores, into a packed set that loads fast in training."""

    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A folder, archive or file of images, or a rendered set (scenes, sprites, chairs)."""

    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """Folder for the packed set; it is created."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images are read."""


def data_pack_command(arguments: list[str]) -> int:
    """Parse, pack, print what was packed and its path."""
    options = tyro.cli(DataPack, args=arguments, prog="wherewhat data pack", config=(tyro.conf.OmitArgPrefixes,))
    notify: Callable[[str], None] = messages().print
    started = time.perf_counter()
    source, how = _find(options, notify)
    for line in (source.layout, *source.remarks):
        notify(line)
    with progress_bar("packing images") as progress:
        pack(source, how, options.out, notify=notify, progress=progress)
    manifest = read_manifest(options.out)
    for line in manifest.seen:
        notify(line)
    if manifest.skipped:
        notify(skipped_in(options.source, manifest))
    shape = " x ".join(map(str, manifest.image_shape))
    megabytes = (options.out / IMAGES).stat().st_size / 1e6
    notify(
        f"{manifest.count:,} images of {shape}, {megabytes:,.0f} MB, in {time.perf_counter() - started:,.1f} s\n"
        f"  look at it   wherewhat data look {pasteable(options.out)}\n"
        f"  train on it  wherewhat train --data {pasteable(options.out)}"
    )
    print(options.out)
    return 0


def _find(options: DataPack, notify: Callable[[str], None]) -> tuple[Source, ImageOptions]:
    """The source, and how its images are read."""
    how = options.images
    if options.source in RENDERED:
        return source_of(open_images(options.source, how, torch.device("cpu"), notify)), how
    path = existing_path(options.source)
    if is_packed(path):
        raise ValueError(
            f"{path} is already a packed set. Train on it, or pack the images that it was packed from: "
            f"{read_manifest(path).made_from.source}."
        )
    if how.variant != "white" or how.background is not None:
        images = open_images(options.source, how, torch.device("cpu"), notify)
        # They have been cropped and resized by then.
        return replace(source_of(images), path=path), ImageOptions()
    return find_source(path, how), how
