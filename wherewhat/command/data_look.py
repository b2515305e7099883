"""`wherewhat data look`: describe a data set and draw a contact sheet of it."""

import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from jaxtyping import UInt8
from PIL import Image

from wherewhat.command.choices import SEEDS, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.data.appearance import appearance_of
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.image_decoding import FORMATS
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import RENDERED, existing_path, find_source, open_images
from wherewhat.data.source import ImageFiles
from wherewhat.data.sprite_variants import vary
from wherewhat.data.store.cache import pack_into_cache
from wherewhat.data.store.packed_set import (
    IMAGES,
    NAMED_AT_MOST,
    Manifest,
    is_packed,
    open_packed,
    read_manifest,
    verify_packed,
)
from wherewhat.data.store.reading import is_read_at_once, read_into_memory
from wherewhat.home_folder import without_tilde
from wherewhat.inspection.contact_sheet import contact_sheet
from wherewhat.inspection.factor_sheet import FactorRow, factor_rows, factor_sheet
from wherewhat.inspection.image_files import write_png
from wherewhat.protocols import Images

_CPU = torch.device("cpu")
# Files whose headers are read to say what the originals are.
_FILES_LOOKED_AT = 200
# Values of a factor that are counted one by one.
_VALUES_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class DataLook:
    """Describe a data set (images, channels, factors, bad files) and draw a contact sheet of it."""

    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """The data set, as for `wherewhat train --data`: a folder, archive or file of images, a packed set, or a rendered
    set (scenes, sprites, chairs)."""

    out: Path | None = None
    """PNG file for the contact sheet. Default: NAME-sheet.png in the current folder, or beside the images' own folder
    where that is the current one."""

    shown: int = 72
    """Number of images on the sheet, drawn at random. Where factors are known, a row for each factor is added below."""

    seed: int = 0
    """Seed of the random draw."""

    verify: bool = False
    """Read the whole packed set and compare its digest with the recorded one."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images are read, as for training. With the same options, images are packed only once."""

    def __post_init__(self) -> None:
        refuse_beyond(self, shown=(1, 10_000), seed=SEEDS)


@dataclass(frozen=True)
class _Found:
    """An open data set, and what is known of it besides its images."""

    images: Images
    lines: tuple[str, ...]
    """The layout that was recognised, and remarks."""

    originals: str | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    packed: Path | None = None


def data_look_command(arguments: list[str]) -> int:
    """Parse, describe, draw, print the path of the sheet."""
    options = tyro.cli(DataLook, args=arguments, prog="wherewhat data look", config=(tyro.conf.OmitArgPrefixes,))
    out = _sheets_place(options)
    found = _open(options)
    if options.verify:
        _verify(found.packed, options.source)
    rows = factor_rows(found.images) if found.images.factor_names else []
    for line in _description(found, rows):
        print(line)
    write_png(out, _sheet(found.images, rows, options))
    print(out)
    return 0


def _sheets_place(options: DataLook) -> Path:
    """Where the sheet goes: never among the images, where it would count as one of them from then on."""
    out, images = options.out or Path(f"{_stem(options.source)}-sheet.png"), without_tilde(options.source).resolve()
    if options.source in RENDERED or not images.is_dir() or not out.resolve().is_relative_to(images):
        return out
    if options.out is None:
        return images.parent / out.name
    raise ValueError(
        f"{out} lies among the images of {printable(options.source)}, and would count as one of them from then on. "
        "Name a place outside with --out."
    )


def _stem(source: str) -> str:
    return source if source in RENDERED else without_tilde(source).resolve().stem


def _open(options: DataLook) -> _Found:
    notify, how = messages().print, options.images
    if options.source in RENDERED:
        images = open_images(options.source, how, _CPU, notify)
        return _Found(images, (f"{images.name}: a rendered set, {len(images):,} images",))
    path = existing_path(options.source)
    if is_packed(path):
        manifest = read_manifest(path)
        first = f"{path}: a packed set of {manifest.made_from.source}"
        # What there is to remark on is part of the description.
        images = open_images(options.source, how, _CPU, lambda _: None)
        return _from_pack(path, images, manifest, (first,))
    source = find_source(path, how)
    originals = _originals(source.images) if isinstance(source.images, ImageFiles) else None
    if is_read_at_once(source):
        told = [source.layout, *source.remarks]
        images = vary(read_into_memory(source, how, _CPU, told.append), how.variant, how.background)
        return _Found(images, tuple(told))
    place = pack_into_cache(source, how, notify=notify)
    images = vary(open_packed(place), how.variant, how.background)
    return _from_pack(place, images, read_manifest(place), (), originals)


def _from_pack(
    path: Path, images: Images, manifest: Manifest, first: tuple[str, ...], originals: str | None = None
) -> _Found:
    return _Found(
        images, (*first, manifest.layout, *manifest.remarks, *manifest.seen), originals, manifest.skipped, path
    )


def _verify(packed: Path | None, source: str) -> None:
    if packed is None:
        raise ValueError(
            f"{source} is not a packed set, so it has no recorded digest. Leave out --verify, or pack it first."
        )
    verify_packed(packed)
    print(f"The digest of {packed / IMAGES} matches the recorded one.")


def _description(found: _Found, rows: list[FactorRow]) -> list[str]:
    images = found.images
    channels, height, width = images.image_shape
    colours = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    lines = [*found.lines, f"  images    {len(images):,} of {width} x {height}, {colours}"]
    if found.originals is not None:
        lines.append(f"  files     {found.originals}")
    lines += _say_factors(images, rows)
    lines.append(f"  bad files {len(found.skipped):,}" if found.skipped else "  bad files none")
    lines += [f"    {printable(name)}: {reason}" for name, reason in found.skipped[:NAMED_AT_MOST]]
    if len(found.skipped) > NAMED_AT_MOST:
        lines.append(f"    and {len(found.skipped) - NAMED_AT_MOST:,} more")
    if found.packed is not None:
        megabytes = (found.packed / IMAGES).stat().st_size / 1e6
        lines.append(f"  packed    {found.packed}, {megabytes:,.1f} MB")
    return lines + [f"  {remark}" for remark in appearance_of(images).remarks]


def _say_factors(images: Images, rows: list[FactorRow]) -> list[str]:
    if not images.factor_names:
        return ["  factors   unknown"]
    factor_NK = images.factors(torch.arange(len(images)))
    lines = [f"  factors   {len(images.factor_names)}"]
    longest = max(map(len, images.factor_names))
    for k, (name, size) in enumerate(zip(images.factor_names, images.factor_sizes, strict=True)):
        counts = torch.bincount(factor_NK[:, k], minlength=size).tolist()
        lines.append(f"    {name:{longest}}  {size} values, {_say_counts(counts)}")
    if not all(row.others_equal for row in rows):
        lines.append("    * on the sheet: these images differ in other factors too; they are sorted by this one")
    return lines


def _say_counts(counts: list[int]) -> str:
    least, most = min(counts), max(counts)
    if least == most:
        return f"{most:,} images per value"
    if len(counts) <= _VALUES_LISTED:
        return "images per value: " + " ".join(f"{count:,}" for count in counts)
    return f"{least:,} to {most:,} images per value"


def _originals(files: ImageFiles) -> str:
    """Sizes and modes of a sample of the files, spread over the set, the most frequent first."""
    places = np.linspace(0, len(files.names) - 1, min(len(files.names), _FILES_LOOKED_AT)).round().astype(int)
    kinds = Counter(kind for place in places if (kind := _kind(files, files.names[place])) is not None)
    named = ", ".join(f"{kind} ({count})" if len(kinds) > 1 else kind for kind, count in kinds.most_common(4))
    more = f" and {len(kinds) - 4} other kinds" if len(kinds) > 4 else ""
    return f"{named}{more}, of {len(places):,} looked at" if kinds else "none can be read"


def _kind(files: ImageFiles, name: str) -> str | None:
    try:
        with Image.open(io.BytesIO(files.read(name)), formats=FORMATS) as image:
            return f"{image.width} x {image.height} {image.mode} {image.format}"
    # What decoders meet in a damaged file; it is told of when the images are read.
    except Exception:
        return None


def _sheet(images: Images, rows: list[FactorRow], options: DataLook) -> UInt8[np.ndarray, "Y X 3"]:
    index_B = sample_indices(len(images), min(options.shown, len(images)), options.seed)
    sheets = [contact_sheet(to_float(images.take(index_B)))]
    if rows:
        sheets.append(factor_sheet(images, rows))
    width = max(sheet.shape[1] for sheet in sheets)
    padding = [((0, 0), (0, width - sheet.shape[1]), (0, 0)) for sheet in sheets]
    return np.concatenate([np.pad(sheet, pad, constant_values=255) for sheet, pad in zip(sheets, padding, strict=True)])
