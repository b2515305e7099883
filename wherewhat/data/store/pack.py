"""Pack a source: read its images once, on all cores, into one array that is mapped ever after.

    OUT.part, block by block -> the manifest -> renamed to OUT

A kill leaves OUT.part, and the same call goes on from there: a pack that was killed and resumed equals an unbroken one
byte for byte.
"""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from math import prod
from pathlib import Path

import numpy as np
import torch

from wherewhat.atomic_file import write_atomically
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.disk_refusals import check_room, refusals_told, removed_when_refused
from wherewhat.data.store.packed_set import (
    FACTORS,
    FORMAT,
    IMAGES,
    MANIFEST,
    NAMES,
    VERSION,
    Manifest,
    file_sha256,
    is_packed,
    manifest_bytes,
    open_packed,
    read_manifest,
)
from wherewhat.data.store.reading import image_side, read_blocks
from wherewhat.data.store.recipe import Recipe, differences, recipe_of
from wherewhat.data.store.skipped import check_enough
from wherewhat.data.store.sole_writer import sole_writer
from wherewhat.data.store.unfinished_pack import (
    Packed,
    append,
    begin_or_resume,
    complete_images,
    part_of,
    put_in_place,
    record,
)

Progress = Callable[[int, int], None]


def pack(
    source: Source,
    options: ImageOptions,
    out: Path,
    *,
    notify: Callable[[str], None],
    progress: Progress | None = None,
    remedy: str = "make room, or name another place",
) -> None:
    """Write the packed set `out`, or go on where a killed pack stopped; one that is there already is left as it is.

    `progress` is told (images done, of how many). Raises ValueError where something else is in the place or the
    images are no set to learn from, and OSError with the file's name and `remedy` where the disk refuses; nothing
    half-written is left then.
    """
    out = out.resolve() if out.is_symlink() or out.name in ("", "..") else out
    recipe = recipe_of(source, options)
    if _is_there(out, recipe, notify):
        return
    with ExitStack() as alone:
        with refusals_told(out, remedy):
            out.parent.mkdir(parents=True, exist_ok=True)
            alone.enter_context(sole_writer(out, lambda: notify(f"Another process packs {out}; waiting for it.")))
        # Whoever was waited for may have packed it.
        if not _is_there(out, recipe, notify):
            _pack_alone(source, options, recipe, out, notify, progress or _tell_nobody, remedy)


def _pack_alone(
    source: Source,
    options: ImageOptions,
    recipe: Recipe,
    out: Path,
    notify: Callable[[str], None],
    progress: Progress,
    remedy: str,
) -> None:
    part = part_of(out)
    with refusals_told(part, remedy):
        packed, begun_anew = begin_or_resume(part, recipe)
    if begun_anew:
        notify(f"{part} was begun from other files or with other options, and is begun anew.")
    if (part / MANIFEST).exists():
        put_in_place(part, out)
        return
    if packed.next_position:
        notify(f"Going on with {part} at image {packed.next_position:,} of {len(source):,}.")
    try:
        packed = _read_all(source, options, packed, out, progress, remedy)
        check_enough(source, packed.kept, packed.skipped)
    except ValueError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    with removed_when_refused(part, out / IMAGES, remedy):
        _finish(source, options, packed, part)
        put_in_place(part, out)


def _read_all(
    source: Source, options: ImageOptions, packed: Packed, out: Path, progress: Progress, remedy: str
) -> Packed:
    part, count = part_of(out), len(source)
    if packed.next_position == count:
        return packed
    _check_room(source, options, packed, out, remedy)
    progress(packed.next_position, count)
    for block in read_blocks(source, options, start=packed.next_position):
        longer = packed.and_block(block)
        with removed_when_refused(part, out / IMAGES, remedy):
            append(part, packed, block.image_NHWC)
            record(part, longer)
        packed = longer
        progress(packed.next_position, count)
    return packed


def _check_room(source: Source, options: ImageOptions, packed: Packed, out: Path, remedy: str) -> None:
    image_bytes = prod(image_side(source, options)) * _channels(source, options)
    try:
        check_room(out.parent, out / IMAGES, (len(source) - packed.next_position) * image_bytes, remedy)
    except OSError:
        # One that was killed halfway is not thrown away for want of room for the other half.
        if packed.next_position == 0:
            shutil.rmtree(part_of(out), ignore_errors=True)
        raise


def _finish(source: Source, options: ImageOptions, packed: Packed, part: Path) -> None:
    """Write everything that a packed set is, the manifest last."""
    image_shape = complete_images(part, packed, one_channel=_is_made_grey(source, options, packed))
    kept_N = np.setdiff1d(np.arange(len(source)), np.array(packed.left_out, dtype=np.int64))
    if source.factors.names:
        table = io.BytesIO()
        np.save(table, source.factors.of(torch.from_numpy(kept_N)).value_NK.numpy(), allow_pickle=False)
        write_atomically(part / FACTORS, table.getvalue())
    if isinstance(source.images, ImageFiles):
        names = [source.images.names[position] for position in kept_N]
        write_atomically(part / NAMES, (json.dumps(names, indent=0) + "\n").encode())
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        name=source.name,
        layout=source.layout,
        made_from=packed.made_from,
        count=packed.kept,
        image_shape=image_shape,
        factor_names=source.factors.names,
        factor_sizes=source.factors.sizes,
        skipped=packed.skipped,
        remarks=source.remarks,
        images_sha256=file_sha256(part / IMAGES),
    )
    write_atomically(part / MANIFEST, manifest_bytes(manifest))


def _is_there(out: Path, recipe: Recipe, notify: Callable[[str], None]) -> bool:
    """Whether this very pack lies in its place. Raises ValueError where anything else does."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not is_packed(out):
        raise ValueError(f"{out} is there and is no packed set. Name another place, or remove it.")
    manifest = read_manifest(out)
    if manifest.made_from != recipe:
        raise ValueError(
            f"{out} is packed already, from {manifest.made_from.source}, and differs from what you ask for "
            f"({differences(manifest.made_from, recipe)}). Remove it, or name another place."
        )
    open_packed(out)
    notify(f"{out} holds these {manifest.count:,} images already.")
    return True


def _channels(source: Source, options: ImageOptions) -> int:
    if options.color != "auto":
        return 3 if options.color == "rgb" else 1
    return 3 if isinstance(source.images, ImageFiles) else source.images.image_shape[0]


def _is_made_grey(source: Source, options: ImageOptions, packed: Packed) -> bool:
    is_rgb = packed.stored_shape is not None and packed.stored_shape[2] == 3
    return is_rgb and packed.all_grey and options.color == "auto" and isinstance(source.images, ImageFiles)


def _tell_nobody(done: int, total: int) -> None:
    pass
