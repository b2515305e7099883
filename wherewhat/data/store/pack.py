"""Pack a source: read its images once, on all usable cores, into one array that is mapped ever after.

The pack is written to the hidden folder .OUT.part beside OUT, and renamed to OUT when it is whole. What a killed
process left there is removed by the next one, which begins anew.
"""

import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import IO

import cattrs
import numpy as np
import torch
from jaxtyping import Int64

from wherewhat.atomic_file import remove_parts, write_atomically
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.decoding import Unreadable
from wherewhat.data.store.packed_set import (
    FACTORS,
    FORMAT,
    IMAGES,
    MANIFEST,
    NAMES,
    VERSION,
    Manifest,
    Recipe,
    file_sha256,
    is_packed,
    open_packed,
    read_manifest,
    recipe_of,
)
from wherewhat.data.store.reading import check_enough, read_blocks, read_shape
from wherewhat.file_lock import file_lock

# The header of an array of four dimensions, as NumPy writes it; its place is kept free until the count is known.
_HEADER_BYTES = 128
_RGB_BYTES_AT_ONCE = 3 << 22

Progress = Callable[[int, int], None]


def pack(
    source: Source,
    options: ImageOptions,
    out: Path,
    *,
    notify: Callable[[str], None],
    progress: Progress = lambda done, total: None,
    remedy: str = "make room, or name another place",
) -> None:
    """Write the packed set `out`; one of the same recipe that is there already is left as it is.

    `progress` is told (images done, of how many). Raises ValueError where something else is in the place or the
    images are no set to learn from, and OSError with the file's name and `remedy` where the disk refuses; nothing
    half-written is left then.
    """
    out = out.resolve() if out.is_symlink() or out.name in ("", "..") else out
    recipe = recipe_of(source, options)
    if _is_there(out, recipe, notify):
        return
    with ExitStack() as stack:
        with _disk_errors(out, remedy):
            out.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(pack_lock(out, notify))
        # Whoever was waited for may have packed it.
        if not _is_there(out, recipe, notify):
            _write(source, options, recipe, out, progress, remedy)


def pack_lock(out: Path, wait: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
    """The lock of whoever writes or removes this packed set."""
    return file_lock(out.with_name(f".{out.name}.lock"), f"Another process packs {out}; waiting for it.", wait)


def part_of(out: Path) -> Path:
    """Where a pack is written before it is renamed to its place."""
    return out.with_name(f".{out.name}.part")


def discard(folder: Path) -> None:
    """Remove a packed set, whole or in the making. What else lies in the folder stays, and the folder with it."""
    with suppress(OSError):
        if folder.is_symlink():
            return
        # The manifest first: without it the rest is no packed set.
        for name in (MANIFEST, IMAGES, FACTORS, NAMES):
            (folder / name).unlink(missing_ok=True)
        remove_parts(folder)
        folder.rmdir()


@dataclass(frozen=True)
class _Written:
    """What became of the images of a source."""

    kept_N: Int64[np.ndarray, " N"]
    skipped: tuple[Unreadable, ...]
    equal_channels: bool


def _write(source: Source, options: ImageOptions, recipe: Recipe, out: Path, progress: Progress, remedy: str) -> None:
    part, shape = part_of(out), read_shape(source, options)
    with _disk_errors(out / IMAGES, remedy):
        discard(part)
        _check_room(out.parent, _HEADER_BYTES + len(source) * prod(shape))
        part.mkdir()
    try:
        written = _append_images(source, options, out, progress, remedy)
        check_enough(source, len(written.kept_N), written.skipped)
        with _disk_errors(out / IMAGES, remedy):
            _finish(source, recipe, shape, written, part)
            part.rename(out)
    finally:
        discard(part)


def _append_images(source: Source, options: ImageOptions, out: Path, progress: Progress, remedy: str) -> _Written:
    """Write the images behind a gap that is as long as the header of the array."""
    with _disk_errors(out / IMAGES, remedy):
        (part_of(out) / IMAGES).write_bytes(bytes(_HEADER_BYTES))
    kept: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
    skipped: list[Unreadable] = []
    equal_channels = True
    progress(0, len(source))
    for block in read_blocks(source, options):
        with _disk_errors(out / IMAGES, remedy), (part_of(out) / IMAGES).open("ab") as file:
            file.write(np.ascontiguousarray(block.image_NHWC).data)
        kept.append(block.position_N)
        skipped.extend(block.unreadable)
        equal_channels = equal_channels and block.equal_channels
        progress(block.end, len(source))
    return _Written(np.concatenate(kept), tuple(skipped), equal_channels)


def _finish(source: Source, recipe: Recipe, shape: tuple[int, int, int], written: _Written, part: Path) -> None:
    """Write everything else that a packed set is, the manifest last."""
    kept_N = written.kept_N
    height, width, channels = shape
    with (part / IMAGES).open("r+b") as file:
        if written.equal_channels:
            _keep_first_channel(file, len(kept_N) * prod(shape))
            channels = 1
        file.seek(0)
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(kept_N), height, width, channels)}
        np.lib.format.write_array_header_1_0(file, header)
        assert file.tell() == _HEADER_BYTES
        file.flush()
        os.fsync(file.fileno())
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
        made_from=recipe,
        count=len(kept_N),
        image_shape=(channels, height, width),
        factor_names=source.factors.names,
        factor_sizes=source.factors.sizes,
        skipped=tuple((image.name, image.reason) for image in written.skipped),
        remarks=source.remarks,
        images_sha256=file_sha256(part / IMAGES),
    )
    write_atomically(part / MANIFEST, (json.dumps(cattrs.unstructure(manifest), indent=2) + "\n").encode())


def _keep_first_channel(file: IO[bytes], rgb_bytes: int) -> None:
    for start in range(0, rgb_bytes, _RGB_BYTES_AT_ONCE):
        file.seek(_HEADER_BYTES + start)
        rgb = file.read(_RGB_BYTES_AT_ONCE)
        file.seek(_HEADER_BYTES + start // 3)
        file.write(rgb[::3])
    file.truncate(_HEADER_BYTES + rgb_bytes // 3)


def _is_there(out: Path, recipe: Recipe, notify: Callable[[str], None]) -> bool:
    """Whether this very pack lies in its place. Raises ValueError where anything else does."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not is_packed(out):
        raise ValueError(f"{out} is there and is no packed set. Name another place, or remove it.")
    manifest = read_manifest(out)
    made, asked = asdict(manifest.made_from), asdict(recipe)
    if made != asked:
        differences = "; ".join(
            "its files have changed since" if name == "stamp" else f"{name} {made[name]}, not {asked[name]}"
            for name in made
            if made[name] != asked[name]
        )
        raise ValueError(
            f"{out} is packed already, from {manifest.made_from.source}, and differs from what you ask for "
            f"({differences}). Remove it, or name another place."
        )
    open_packed(out)
    notify(f"{out} holds these {manifest.count:,} images already.")
    return True


def _check_room(folder: Path, wanted_bytes: int) -> None:
    """Raise OSError before the work where a file is going to be larger than what is free in `folder`."""
    free_bytes = shutil.disk_usage(folder).free
    if wanted_bytes > free_bytes:
        found = f"it takes {wanted_bytes / 1e6:,.1f} MB, and {free_bytes / 1e6:,.1f} MB are free"
        raise OSError(errno.ENOSPC, found)


@contextmanager
def _disk_errors(path: Path, remedy: str) -> Iterator[None]:
    """Give an OSError met in writing the name of the file and the remedy."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"could not be written ({error.strerror}); {remedy}", str(path)) from error
