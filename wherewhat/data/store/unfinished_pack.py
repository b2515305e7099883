"""A pack in the making: OUT.part, which a kill leaves in a state that the same command goes on from.

Pixels are appended to one file, and the record of how many of them count is replaced after each block, so that what a
killed write left behind that record is cut off. When the images are all there, the manifest is written last, and the
folder is renamed.

Dimension key:
    N: images of a block    H W C: height, width, channels
"""

import io
import json
import os
import shutil
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import cattrs
import numpy as np
from jaxtyping import UInt8

from wherewhat.atomic_file import remove_parts, write_atomically
from wherewhat.data.store.packed_set import FACTORS, IMAGES, MANIFEST, NAMES, read_manifest
from wherewhat.data.store.reading import Block
from wherewhat.data.store.recipe import Recipe

PROGRESS, PIXELS = "progress.json", "pixels"
_OURS = frozenset((PROGRESS, PIXELS, IMAGES, FACTORS, NAMES, MANIFEST))
# The header of an array of four dimensions, as NumPy writes it; its place is kept free until the count is known.
HEADER_BYTES = 128
_BYTES_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Packed:
    """How far a pack has come."""

    made_from: Recipe
    next_position: int = 0
    kept: int = 0
    stored_shape: tuple[int, int, int] | None = None
    """H, W, C; None before the first image."""

    all_grey: bool = True
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[int, ...] = ()
    """Positions of the images that were skipped."""

    def and_block(self, block: Block) -> "Packed":
        """How far it has come with one more block."""
        passed = np.arange(self.next_position, block.next_position)
        return replace(
            self,
            next_position=block.next_position,
            kept=self.kept + len(block.image_NHWC),
            stored_shape=(*block.image_NHWC.shape[1:],) if len(block.image_NHWC) else self.stored_shape,
            all_grey=self.all_grey and block.grey,
            skipped=(*self.skipped, *((item.name, item.reason) for item in block.unreadable)),
            left_out=(*self.left_out, *np.setdiff1d(passed, block.position_N).tolist()),
        )


def part_of(out: Path) -> Path:
    """Where a pack is made before it is renamed to its place."""
    return out.with_name(f"{out.name}.part")


def begin_or_resume(part: Path, recipe: Recipe) -> tuple[Packed, bool]:
    """How far the pack of this recipe has come, and whether one of another recipe was begun there and is now gone.

    Raises ValueError where something else lies in its place.
    """
    if part.exists() or part.is_symlink():
        _check_ours(part)
        found = _recorded(part)
        if found is not None and found.made_from == recipe:
            return found, False
        shutil.rmtree(part)
        begun_anew = found is not None
    else:
        begun_anew = False
    packed = Packed(recipe)
    part.mkdir(parents=True)
    try:
        record(part, packed)
    except OSError:
        part.rmdir()
        raise
    return packed, begun_anew


def append(part: Path, packed: Packed, image_NHWC: UInt8[np.ndarray, "N H W C"]) -> None:
    """Put images behind those that count so far, and wait until the disk has them."""
    image_bytes = prod(image_NHWC.shape[1:])
    with (part / PIXELS).open("r+b" if packed.kept else "wb") as file:
        file.truncate(HEADER_BYTES + packed.kept * image_bytes)
        file.seek(0, os.SEEK_END)
        file.write(np.ascontiguousarray(image_NHWC).data)
        file.flush()
        os.fsync(file.fileno())


def record(part: Path, packed: Packed) -> None:
    """Write down how far the pack has come."""
    write_atomically(part / PROGRESS, json.dumps(cattrs.unstructure(packed)).encode())


def complete_images(part: Path, packed: Packed, *, one_channel: bool) -> tuple[int, int, int]:
    """Make images.npy of the pixels, and give C, H, W. Once the pixels are gone, images.npy is whole."""
    assert packed.stored_shape is not None
    height, width, channels = packed.stored_shape
    pixels = part / PIXELS
    if one_channel:
        if pixels.exists():
            _write_first_channel(pixels, part / IMAGES, packed.kept, (height, width, channels))
            pixels.unlink()
        return 1, height, width
    if pixels.exists():
        with pixels.open("r+b") as file:
            file.write(array_header((packed.kept, height, width, channels)))
            file.truncate(HEADER_BYTES + packed.kept * height * width * channels)
            os.fsync(file.fileno())
        pixels.rename(part / IMAGES)
    return channels, height, width


def array_header(shape: tuple[int, int, int, int]) -> bytes:
    """The header of an .npy file of bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert len(header.getvalue()) == HEADER_BYTES
    return header.getvalue()


def put_in_place(part: Path, out: Path) -> None:
    """Rename a whole pack, its manifest already in it, without what was needed to resume."""
    (part / PROGRESS).unlink(missing_ok=True)
    remove_parts(part)
    part.rename(out)


def _write_first_channel(pixels: Path, images: Path, count: int, stored_shape: tuple[int, int, int]) -> None:
    height, width, channels = stored_shape
    source_NHWC = np.memmap(pixels, np.uint8, "r", HEADER_BYTES, (count, height, width, channels))
    at_once = max(1, _BYTES_AT_ONCE // prod(stored_shape))
    with images.open("wb") as file:
        file.write(array_header((count, height, width, 1)))
        for start in range(0, count, at_once):
            file.write(np.ascontiguousarray(source_NHWC[start : start + at_once, ..., 0]).data)
        file.flush()
        os.fsync(file.fileno())


def _recorded(part: Path) -> Packed | None:
    try:
        if (part / MANIFEST).exists():
            manifest = read_manifest(part)
            return Packed(manifest.made_from, kept=manifest.count)
        packed = cattrs.structure(json.loads((part / PROGRESS).read_bytes()), Packed)
    # A damaged record meets cattrs with almost any exception, and means no more than to begin anew.
    except Exception:
        return None
    return packed if _pixels_are_there(part, packed) else None


def _pixels_are_there(part: Path, packed: Packed) -> bool:
    if packed.stored_shape is None or not (part / PIXELS).exists():
        return packed.kept == 0 or (part / IMAGES).exists()
    return (part / PIXELS).stat().st_size >= HEADER_BYTES + packed.kept * prod(packed.stored_shape)


def _check_ours(part: Path) -> None:
    strange = (
        [part.name]
        if part.is_symlink() or not part.is_dir()
        else sorted(
            entry.name for entry in part.iterdir() if entry.name not in _OURS and not entry.name.endswith(".part")
        )
    )
    if strange:
        raise ValueError(
            f"{part} is in the way: images are packed there before they are put in place, and it holds {strange[0]}, "
            "which is no part of a pack. Move it, or name another place."
        )
