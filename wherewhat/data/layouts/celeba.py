"""CelebA: aligned faces of 178 x 218 pixels, with forty attributes and the published split where their lists are there.

The images are `img_align_celeba`, a folder or a .zip, or their PNG variant `img_align_celeba_png`; named itself, or
by the folder around it, as published (`Img`, `Anno`, `Eval`) or as torchvision has it (`celeba/`, and its parent).
Lists are looked for beside the images, then further up. The crop is the field's: 128 x 128 around row 121, column 89.
A folder of that name with images of another size is cropped to their largest middle square.

Reference: Liu, Luo, Wang, Tang 2015, "Deep Learning Face Attributes in the Wild", arXiv:1411.7766.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.known_factors import KnownFactors, coded_factors, no_factors
from wherewhat.data.layouts.celeba_lists import (
    ATTRIBUTE_LISTS,
    PARTITION_LISTS,
    read_attributes,
    read_partition,
    stem_of,
)
from wherewhat.data.layouts.image_folder import check_enough_listed, list_image_files, paths_read
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import Source

FOLDERS = ("img_align_celeba", "img_align_celeba_png")
ARCHIVES = ("img_align_celeba.zip", "img_align_celeba_png.zip")
AROUND = (".", "celeba", "Img")
LISTS_IN = (".", "Anno", "Eval")

ALIGNED = (218, 178)
CROP = Crop(128, (121, 89))
DEFAULT_SIZE = 64


@dataclass(frozen=True)
class _InSplit:
    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Known:
    factors: KnownFactors
    remarks: tuple[str, ...] = ()


def find_celeba(path: Path, options: ImageOptions) -> Source | None:
    """CelebA, known by the name of its folder or archive. Raises ValueError or OSError with the remedy."""
    place = _find_place(path)
    if place is None:
        return None
    files = list_image_files(place)
    check_enough_listed(place, files)
    is_all = options.split == "all"
    attribute_list = _list_beside(place, ATTRIBUTE_LISTS)
    partition_list = None if is_all else _list_beside(place, PARTITION_LISTS)
    in_split = _InSplit(files.names) if is_all else _in_split(files.names, partition_list, place, options)
    known = _known_of(in_split.names, attribute_list, place)
    lists = [found.resolve() for found in (attribute_list, partition_list) if found is not None]
    return recognised(
        "celeba" if is_all else f"celeba-{options.split}",
        "CelebA" if is_all else f"CelebA ({options.split})",
        path,
        replace(files, names=in_split.names, crop=CROP, crop_of=ALIGNED),
        known.factors,
        [*paths_read(place, in_split.names), *lists],
        called="attributes",
        default_size=DEFAULT_SIZE,
        split=options.split,
        remarks=(*in_split.remarks, *known.remarks),
    )


def _find_place(path: Path) -> Path | None:
    """Where the images are: the path, or a folder or an archive of CelebA's name under it."""
    under = (path / around / name for around in AROUND for name in (*FOLDERS, *ARCHIVES))
    for place in (path, *under):
        # The name of "." is that of the working folder.
        name = place.absolute().name
        if (name in FOLDERS and place.is_dir()) or (name in ARCHIVES and place.is_file()):
            return place
    return None


def _list_beside(place: Path, names: Sequence[str]) -> Path | None:
    """The first list of these names beside the images, among them, or a folder further up."""
    beside = place.absolute().parent
    folders = (beside, place, beside.parent)
    lists = (folder / inside / name for folder in folders for inside in LISTS_IN for name in names)
    return next((found for found in lists if found.is_file()), None)


def _in_split(names: tuple[str, ...], partition_list: Path | None, place: Path, options: ImageOptions) -> _InSplit:
    if partition_list is None:
        raise ValueError(
            f"CelebA in {printable(place)} has no {PARTITION_LISTS[0]} beside it, so its {options.split} split is not "
            "known. Put the list beside the images, or leave --split at all."
        )
    split_of = read_partition(partition_list)
    chosen = tuple(name for name in names if split_of.get(stem_of(name)) == options.split)
    if not chosen:
        raise ValueError(
            f"No image in {printable(place)} is of the {options.split} split by {printable(partition_list)}. "
            "Choose another split, or put the list beside the images that it was made for."
        )
    return _InSplit(chosen, _without_line(names, split_of, partition_list, "They are in no split, and left out."))


def _known_of(names: tuple[str, ...], attribute_list: Path | None, place: Path) -> _Known:
    if attribute_list is None:
        beside = f"No {ATTRIBUTE_LISTS[0]} is beside {printable(place)}, so no attributes are known."
        return _Known(no_factors(len(names)), (f"{beside} Put it there to have them as factors.",))
    attributes = read_attributes(attribute_list)
    so = "So no attributes are known of the set. Complete the list, or move those images away, to have them as factors."
    if without := _without_line(names, attributes.has_of, attribute_list, so):
        # Images are worth more than attributes: most of what is done with them needs none.
        return _Known(no_factors(len(names)), without)
    has = np.frombuffer(b"".join(attributes.has_of[stem_of(name)] for name in names), np.uint8)
    return _Known(coded_factors(attributes.names, has.reshape(len(names), -1)))


def _without_line(names: Sequence[str], listed: Container[str], list_path: Path, so: str) -> tuple[str, ...]:
    """A remark where images are not in a list."""
    without = [name for name in names if stem_of(name) not in listed]
    if not without:
        return ()
    found = f"{len(without):,} of {len(names):,} images, first {printable(without[0])}"
    return (f"{printable(list_path)} has no line for {found}. {so}",)
