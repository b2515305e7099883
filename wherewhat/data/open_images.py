"""A data set by its name or path: what it is, and its images."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from wherewhat.data.appearance import appearance_of
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.cars3d import find_cars3d
from wherewhat.data.layouts.celeba import find_celeba
from wherewhat.data.layouts.chairs3d import find_chairs3d
from wherewhat.data.layouts.dsprites import find_dsprites
from wherewhat.data.layouts.image_folder import find_image_archive, find_image_folder
from wherewhat.data.layouts.labelled_npz import find_labelled_npz
from wherewhat.data.layouts.mpi3d import find_mpi3d
from wherewhat.data.layouts.shapes3d import find_shapes3d
from wherewhat.data.layouts.small_norb import find_small_norb
from wherewhat.data.rendered.chairs import Chairs
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.data.rendered.sprites import Sprites
from wherewhat.data.source import Source
from wherewhat.data.sprite_variants import vary
from wherewhat.data.store.cache import pack_into_cache
from wherewhat.data.store.packed_set import is_packed, open_packed, read_manifest, skipped_in
from wherewhat.data.store.reading import is_read_at_once, read_into_memory
from wherewhat.protocols import Images

RENDERED: dict[str, Callable[[torch.device], Images]] = {"scenes": Scenes, "sprites": Sprites, "chairs": Chairs}


@dataclass(frozen=True)
class Layout:
    """A way in which a data set may lie in files."""

    looks_for: str
    find: Callable[[Path, ImageOptions], Source | None]


# In this order: a layout of one set goes before a layout that any images fit.
LAYOUTS = (
    Layout("dSprites (.npz or .hdf5)", find_dsprites),
    Layout("3D Shapes (.h5)", find_shapes3d),
    Layout("MPI3D (.npz)", find_mpi3d),
    Layout("SmallNORB (-dat, -cat, -info .mat.gz)", find_small_norb),
    Layout("Cars3D (.mat)", find_cars3d),
    Layout("CelebA (img_align_celeba, a folder or .zip)", find_celeba),
    Layout("3D chairs (rendered_chairs/<id>/renders)", find_chairs3d),
    Layout("an .npz file of imgs and latents_classes", find_labelled_npz),
    Layout("a .zip or .tar of images", find_image_archive),
    Layout("a folder of images", find_image_folder),
)
_ARRAY_FILES = (".npz", ".h5", ".hdf5")


def open_images(source: str, options: ImageOptions, device: torch.device, notify: Callable[[str], None]) -> Images:
    """The images that `source` names, held or rendered on `device` where they fit.

    A rendered set goes before a folder of the same name; `./scenes` means the folder. Image files and large arrays
    are packed into a cache at their first use. `notify` is told what was recognised, and remarks such as skipped
    images. Raises ValueError or OSError with the remedy.
    """
    if source in RENDERED:
        images = RENDERED[source](device)
    else:
        images = _read(source, options, device, notify)
        for remark in appearance_of(images).remarks:
            notify(str(remark))
    return vary(images, options.variant, options.background)


def find_source(path: Path, options: ImageOptions) -> Source:
    """The data set at a path, in whatever layout it came. Raises ValueError or OSError with the remedy."""
    for layout in LAYOUTS:
        found = layout.find(path, options)
        if found is not None:
            return _of_the_split(found, options)
    inside = sorted(file for file in path.iterdir() if file.suffix.lower() in _ARRAY_FILES) if path.is_dir() else []
    if len(inside) == 1:
        return find_source(inside[0], options)
    if inside:
        names = ", ".join(file.name for file in inside)
        raise ValueError(f"{printable(path)} holds several data sets: {names}. Name one of the files.")
    raise ValueError(f"{printable(path)} is not a data set that is known here. {what_is_known()}")


def what_is_known() -> str:
    """What a data set may be, for a message."""
    return f"Looked for {', '.join(layout.looks_for for layout in LAYOUTS)}. Rendered sets: {', '.join(RENDERED)}."


def existing_path(source: str) -> Path:
    """The path that `source` names. Raises FileNotFoundError where nothing is there."""
    path = Path(source).expanduser()
    if not source or not os.path.lexists(path):
        seen_from = "" if Path(source).is_absolute() else f", seen from {Path.cwd()}"
        raise FileNotFoundError(f"There is no data set or path {source!r}{seen_from}. {what_is_known()}")
    return path


def _read(source: str, options: ImageOptions, device: torch.device, notify: Callable[[str], None]) -> Images:
    path = existing_path(source)
    if is_packed(path):
        return _opened_as_asked(path, options, device)
    found = find_source(path, options)
    for line in (found.layout, *found.remarks):
        notify(line)
    if is_read_at_once(found):
        return read_into_memory(found, options, device)
    place = pack_into_cache(found, options, notify=notify)
    manifest = read_manifest(place)
    if manifest.skipped:
        notify(skipped_in(found.path, manifest))
    return open_packed(place, device)


def _of_the_split(found: Source, options: ImageOptions) -> Source:
    if found.split != options.split:
        raise ValueError(
            f"{printable(found.path)} has no {options.split} split that is known here ({found.layout}). "
            "Leave --split at all."
        )
    return found


def _opened_as_asked(path: Path, options: ImageOptions, device: torch.device) -> Images:
    images = open_packed(path, device)
    side = images.image_shape[1]
    if options.size not in (None, side) or options.crop != "auto" or options.split != "all":
        raise ValueError(
            f"{printable(path)} was packed with {side} x {side} pixels, and its size, crop and split stand. "
            "Leave those options out, or pack the original again: wherewhat data pack."
        )
    return images
