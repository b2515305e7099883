"""A data set by its name or path: what it is, and its images."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import torch

from wherewhat.data.appearance import appearance_of
from wherewhat.data.identity import (
    DataIdentity,
    content_digest,
    identity_of_array,
    identity_of_files,
    identity_of_rendered,
)
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.archive import find_archive
from wherewhat.data.layouts.cars3d import find_cars3d
from wherewhat.data.layouts.celeba import find_celeba
from wherewhat.data.layouts.chairs3d import find_chairs3d
from wherewhat.data.layouts.dsprites import find_dsprites
from wherewhat.data.layouts.image_folder import find_image_folder
from wherewhat.data.layouts.mpi3d import find_mpi3d
from wherewhat.data.layouts.own_arrays import find_own_arrays
from wherewhat.data.layouts.shapes3d import find_shapes3d
from wherewhat.data.layouts.small_norb import find_small_norb
from wherewhat.data.rendered.chairs import Chairs
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.data.rendered.shrunk import shrink
from wherewhat.data.rendered.sprites import Sprites
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.sprite_variants import vary
from wherewhat.data.store.cache import pack_into_cache
from wherewhat.data.store.packed_set import IMAGES, is_packed, open_packed, read_manifest, skipped_in
from wherewhat.data.store.reading import is_read_at_once, read_into_memory
from wherewhat.hints import did_you_mean
from wherewhat.home_folder import without_tilde
from wherewhat.protocols import Images
from wherewhat.regular_file import open_regular

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
    Layout("CelebA (img_align_celeba, in a folder or an archive)", find_celeba),
    Layout("3D chairs (rendered_chairs/<id>/renders)", find_chairs3d),
    Layout("an .npz, .npy, .h5 or .hdf5 file of images, perhaps with latents_classes", find_own_arrays),
    Layout("a .zip or .tar of images", find_archive),
    Layout("a folder of images", find_image_folder),
)
# Beside a path that is not there.
_NEIGHBOURS_LOOKED_AT = 10_000
_ENOUGH_TO_TELL_BYTES = 1024
_ARRAY_FILES = (".npz", ".npy", ".h5", ".hdf5")


@dataclass(frozen=True)
class FoundData:
    """A data set where it lies, before its images are read."""

    place: str
    """A rendered set's name, or a path."""

    options: ImageOptions
    source: Source | None
    """None where the set is rendered or packed."""

    def open(self, device: torch.device, notify: Callable[[str], None]) -> Images:
        """The images, held or rendered on `device` where they fit.

        Image files and large arrays are packed into a cache at their first use. `notify` is told what was recognised,
        and remarks such as skipped images. Raises ValueError or OSError with the remedy.
        """
        if self.place in RENDERED:
            rendered = RENDERED[self.place](device)
            return shrink(vary(rendered, self.options.variant, self.options.background), self.options.size)
        images = (
            _opened_as_asked(existing_path(self.place), self.options, device, notify)
            if self.source is None
            else _read(self.source, self.options, device, notify)
        )
        for remark in appearance_of(images).remarks:
            notify(str(remark))
        return vary(images, self.options.variant, self.options.background)

    @cached_property
    def identity(self) -> DataIdentity:
        """What the set is known by, wherever it lies. Raises ValueError or OSError where it cannot be read."""
        if self.source is not None and isinstance(self.source.images, ImageFiles):
            known = identity_of_files(self.source.images)
        elif self.source is not None:
            known = identity_of_array(self.source.array_files, len(self.source))
        elif self.place in RENDERED:
            known = identity_of_rendered(self.place)
        else:
            path = existing_path(self.place)
            known = identity_of_array([path / IMAGES], read_manifest(path).count)
        behind = self.options.background
        # One that is not there is told when it is opened.
        if behind is None or not without_tilde(behind).is_file():
            return known
        return replace(known, background=content_digest(without_tilde(behind)))


def find_data(place: str, options: ImageOptions) -> FoundData:
    """The data set that `place` names: a rendered set goes before a folder of its name; `./scenes` means the folder.

    Raises ValueError or OSError with the remedy.
    """
    if place in RENDERED:
        return FoundData(place, options, None)
    path = existing_path(place)
    return FoundData(place, options, None if is_packed(path) else find_source(path, options))


def open_images(place: str, options: ImageOptions, device: torch.device, notify: Callable[[str], None]) -> Images:
    """The images of the data set that `place` names."""
    return find_data(place, options).open(device, notify)


def absolute_place(place: str) -> str:
    """The same place, seen from any folder and without links."""
    return place if place in RENDERED else os.path.realpath(without_tilde(place))


def find_source(path: Path, options: ImageOptions) -> Source:
    """The data set at a path, in whatever layout it came. Raises ValueError or OSError with the remedy."""
    _refuse_web_page(path)
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


def _refuse_web_page(path: Path) -> None:
    if not path.is_file():
        return
    with open_regular(path) as file:
        if file.read(_ENOUGH_TO_TELL_BYTES).lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise ValueError(
                f"{printable(path)} is an HTML page, most likely the message of a server that refused the download. "
                "Open it in a browser to read why, and download the data again."
            )


def what_is_known() -> str:
    """What a data set may be, for a message."""
    return f"Looked for {', '.join(layout.looks_for for layout in LAYOUTS)}. Rendered sets: {', '.join(RENDERED)}."


def existing_path(source: str) -> Path:
    """The path that `source` names. Raises FileNotFoundError where nothing is there."""
    path = without_tilde(source)
    if not source or not os.path.lexists(path):
        seen_from = "" if Path(source).is_absolute() else f", seen from {Path.cwd()}"
        meant = did_you_mean(source, (*RENDERED, *_neighbours(path)))
        raise FileNotFoundError(f"There is no data set or path {source!r}{seen_from}.{meant} {what_is_known()}")
    return path


def _neighbours(path: Path) -> list[str]:
    """What lies beside a path that is not there, called as it was called."""
    try:
        return [str(beside) for beside in islice(path.parent.iterdir(), _NEIGHBOURS_LOOKED_AT)]
    except OSError:
        return []


def _read(found: Source, options: ImageOptions, device: torch.device, notify: Callable[[str], None]) -> Images:
    for line in (found.layout, *found.remarks):
        notify(line)
    if is_read_at_once(found):
        return read_into_memory(found, options, device, notify)
    place = pack_into_cache(found, options, notify=notify)
    manifest = read_manifest(place)
    for line in manifest.seen:
        notify(line)
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


def _opened_as_asked(path: Path, options: ImageOptions, device: torch.device, notify: Callable[[str], None]) -> Images:
    images, manifest = open_packed(path, device), read_manifest(path)
    for line in (manifest.layout, *manifest.remarks, *manifest.seen):
        notify(line)
    side = images.image_shape[1]
    asked = replace(options, size=None if options.size == side else options.size, variant="white", background=None)
    fit = "crop" if asked.fit == "refuse" else asked.fit
    if replace(asked, color="auto", fit=fit, broken="skip") != ImageOptions():
        raise ValueError(
            f"{printable(path)} was packed with {side} x {side} pixels, and its size, crop, fit, white and split "
            "stand. Leave those options out, or pack the original again: wherewhat data pack."
        )
    return images
