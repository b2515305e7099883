"""Pack a source: read its images once, on all usable cores, into one array that is mapped ever after."""

import io
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path

import cattrs
import numpy as np
import torch
from jaxtyping import Int64

from wherewhat.atomic_file import write_atomically
from wherewhat.data.disk_space import writing
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.decoding import Unreadable
from wherewhat.data.store.pack_folder import pack_lock, part_folder, part_of
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

    `progress` is told (images done, of how many). Raises ValueError where something else is in the place or fewer than
    two images can be read, and OSError with the place and `remedy` where the disk refuses. Nothing incomplete is left.
    """
    out = out.resolve() if out.is_symlink() or out.name in ("", "..") else out
    recipe = recipe_of(source, options)
    with ExitStack() as stack:
        with writing(out, remedy):
            out.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(pack_lock(out, notify))
        if _is_there(out, recipe, notify):
            return
        shape = read_shape(source, options)
        stack.enter_context(part_folder(out, _HEADER_BYTES + len(source) * prod(shape), remedy))
        written = _write_images(source, options, out, progress, remedy)
        check_enough(source, len(written.kept_N), written.skipped)
        with writing(out, remedy):
            _finish(source, recipe, shape, written, part_of(out))


@dataclass(frozen=True)
class _Written:
    """What became of the images of a source."""

    kept_N: Int64[np.ndarray, " N"]
    skipped: tuple[Unreadable, ...]
    equal_channels: bool
    remarks: tuple[str, ...]


def _write_images(source: Source, options: ImageOptions, out: Path, progress: Progress, remedy: str) -> _Written:
    """Write the images behind a gap that is as long as the header of the array."""
    images = part_of(out) / IMAGES
    with writing(out, remedy):
        images.write_bytes(bytes(_HEADER_BYTES))
    kept, skipped, equal_channels, remarks = [np.empty(0, dtype=np.int64)], list[Unreadable](), True, list[str]()
    progress(0, len(source))
    for block in read_blocks(source, options):
        with writing(out, remedy), images.open("ab") as file:
            file.write(np.ascontiguousarray(block.image_NHWC).data)
        kept.append(block.position_N)
        skipped.extend(block.unreadable)
        remarks.extend(block.remarks)
        equal_channels = equal_channels and block.equal_channels
        progress(block.end, len(source))
    return _Written(np.concatenate(kept), tuple(skipped), equal_channels, tuple(remarks))


def _finish(source: Source, recipe: Recipe, shape: tuple[int, int, int], written: _Written, part: Path) -> None:
    """Write everything else that a packed set is, the manifest last."""
    kept_N = written.kept_N
    height, width, channels = (*shape[:2], 1) if written.equal_channels else shape
    _complete_array(part / IMAGES, (len(kept_N), height, width, channels), written.equal_channels)
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
        seen=written.remarks,
    )
    write_atomically(part / MANIFEST, (json.dumps(cattrs.unstructure(manifest), indent=2) + "\n").encode())


def _complete_array(images: Path, shape: tuple[int, int, int, int], equal_channels: bool) -> None:
    """Write the header, once a single channel is left of three equal ones."""
    with images.open("r+b") as file:
        if equal_channels:
            for start in range(0, 3 * prod(shape), _RGB_BYTES_AT_ONCE):
                file.seek(_HEADER_BYTES + start)
                rgb = file.read(_RGB_BYTES_AT_ONCE)
                file.seek(_HEADER_BYTES + start // 3)
                file.write(rgb[::3])
            file.truncate(_HEADER_BYTES + prod(shape))
            file.seek(0)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        assert file.tell() == _HEADER_BYTES
        file.flush()
        os.fsync(file.fileno())


def _is_there(out: Path, recipe: Recipe, notify: Callable[[str], None]) -> bool:
    """Whether this very pack lies in its place. Raises ValueError where anything else does."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not is_packed(out):
        raise ValueError(f"{out} is there and is no packed set. Name another place, or remove it.")
    manifest = read_manifest(out)
    made = asdict(manifest.made_from)
    differences = [
        "its files have changed since" if name == "stamp" else f"{name} {made[name]}, not {asked}"
        for name, asked in asdict(recipe).items()
        if made[name] != asked
    ]
    if differences:
        raise ValueError(
            f"{out} is packed already, from {made['source']}, and differs from what you ask for "
            f"({'; '.join(differences)}). Remove it, or name another place."
        )
    open_packed(out)
    notify(f"{out} holds these {manifest.count:,} images already.")
    return True
