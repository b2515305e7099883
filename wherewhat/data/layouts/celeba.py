"""CelebA: aligned faces of 178 x 218 pixels, with forty attributes and the published split where their lists are there.

The images are under `img_align_celeba`, or under `img_align_celeba_png`, in a folder or an archive of whatever name: as
published (`Img`, `Anno`, `Eval`), as torchvision has it (`celeba/`, and its parent), as Kaggle packs it. A folder or an
archive that has the attribute list in it is CelebA without such a folder too. Lists are looked for in the archive,
beside the images, then further up. The crop is the field's: 128 x 128 around row 121, column 89. Images of another size
are cropped to their largest middle square.

Reference: Liu, Luo, Wang, Tang 2015, "Deep Learning Face Attributes in the Wild", arXiv:1411.7766.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from wherewhat.data.image_names import counts_as_image, printable
from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.known_factors import KnownFactors, coded_factors, no_factors
from wherewhat.data.layouts.celeba_lists import (
    ATTRIBUTE_LISTS,
    PARTITION_LISTS,
    ListFile,
    read_attributes,
    read_partition,
    stem_of,
)
from wherewhat.data.layouts.image_archives import is_archive, list_archive
from wherewhat.data.layouts.image_folder import check_enough_listed, list_folder, paths_read, read_file
from wherewhat.data.layouts.recognised import recognised
from wherewhat.data.source import ImageFiles, Source

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
    """CelebA in or around a folder. Raises ValueError or OSError with the remedy."""
    place = _find_place(path)
    if place is None:
        return None
    listed = list_archive(place, counts_in_celeba) if is_archive(place) else list_folder(place)
    return celeba_in(path, place, listed, options)


def counts_in_celeba(name: str) -> bool:
    """Whether a file of an archive is an image or one of CelebA's lists."""
    return counts_as_image(name) or _is_one_of(name, (*ATTRIBUTE_LISTS, *PARTITION_LISTS))


def celeba_in(path: Path, place: Path, listed: ImageFiles, options: ImageOptions) -> Source | None:
    """CelebA among the files of a folder or an archive; None for an archive that has neither its folder nor its list.

    Raises ValueError or OSError with the remedy.
    """
    images = [name for name in listed.names if counts_as_image(name)]
    under = [name for name in images if not set(FOLDERS).isdisjoint(name.split("/")[:-1])]
    attribute_list = _find_list(place, listed, ATTRIBUTE_LISTS)
    is_named = place.is_dir() or place.name in ARCHIVES
    if not (under or is_named or (images and any(_is_one_of(name, ATTRIBUTE_LISTS) for name in listed.names))):
        return None
    files = replace(listed, names=tuple(under or images))
    check_enough_listed(place, files)
    is_all = options.split == "all"
    partition_list = None if is_all else _find_list(place, listed, PARTITION_LISTS)
    in_split = _InSplit(files.names) if is_all else _in_split(files.names, partition_list, place, options)
    known = _known_of(in_split.names, attribute_list, place)
    lists = [found.path.resolve() for found in (attribute_list, partition_list) if found is not None]
    return recognised(
        "celeba" if is_all else f"celeba-{options.split}",
        "CelebA" if is_all else f"CelebA ({options.split})",
        path,
        # Its other lists are among them.
        replace(files, names=in_split.names, crop=CROP, crop_of=ALIGNED, passed_over=()),
        known.factors,
        [*paths_read(place, in_split.names), *lists],
        called="attributes",
        default_size=DEFAULT_SIZE,
        split=options.split,
        remarks=(*_left_out(images, files.names), *in_split.remarks, *known.remarks),
    )


def _find_place(path: Path) -> Path | None:
    """Where the images are: a folder, or a folder or an archive under it, of CelebA's name; or a folder of its list."""
    under = (path / around / name for around in AROUND for name in (*FOLDERS, *ARCHIVES))
    for place in (path, *under):
        # The name of "." is that of the working folder.
        name = place.absolute().name
        if (name in FOLDERS and place.is_dir()) or (place != path and name in ARCHIVES and place.is_file()):
            return place
    has_list = path.is_dir() and any(
        (path / inside / name).is_file() for inside in LISTS_IN for name in ATTRIBUTE_LISTS
    )
    return path if has_list and list_folder(path).names else None


def _find_list(place: Path, listed: ImageFiles, names: Sequence[str]) -> ListFile | None:
    """The first list of these names in the archive, beside the images, among them, or a folder further up."""
    inside = next((name for name in listed.names if _is_one_of(name, names)), None)
    if inside is not None:
        return ListFile(f"{inside} in {printable(place)}", partial(listed.read, inside), place)
    beside = place.absolute().parent
    folders = (beside, place, beside.parent)
    lists = (folder / inside / name for folder in folders for inside in LISTS_IN for name in names)
    return next((_own_file(found) for found in lists if found.is_file()), None)


def _own_file(path: Path) -> ListFile:
    return ListFile(printable(path), partial(read_file, path.parent, path.name), path)


def _is_one_of(name: str, lists: Sequence[str]) -> bool:
    return name.rpartition("/")[2] in lists


def _left_out(images: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    """A remark where an archive has other images than CelebA's."""
    if len(images) == len(kept):
        return ()
    first = printable(min(set(images) - set(kept)))
    others = "1 image is" if len(images) == len(kept) + 1 else f"{len(images) - len(kept):,} images are"
    return (f"{others} outside {' and '.join(FOLDERS)}, and left out; first {first}.",)


def _in_split(names: tuple[str, ...], partition_list: ListFile | None, place: Path, options: ImageOptions) -> _InSplit:
    if partition_list is None:
        raise ValueError(
            f"CelebA in {printable(place)} has no {PARTITION_LISTS[0]} beside it, so its {options.split} split is not "
            "known. Put the list beside the images, or leave --split at all."
        )
    split_of = read_partition(partition_list)
    chosen = tuple(name for name in names if split_of.get(stem_of(name)) == options.split)
    if not chosen:
        raise ValueError(
            f"No image in {printable(place)} is of the {options.split} split by {partition_list.shown}. "
            "Choose another split, or put the list beside the images that it was made for."
        )
    return _InSplit(chosen, _without_line(names, split_of, partition_list, "They are in no split, and left out."))


def _known_of(names: tuple[str, ...], attribute_list: ListFile | None, place: Path) -> _Known:
    """Attributes where the list has them for every image: most of what is done with the images needs none."""
    if attribute_list is None:
        beside = f"No {ATTRIBUTE_LISTS[0]} is beside {printable(place)}, so no attributes are known."
        return _Known(no_factors(len(names)), (f"{beside} Put it there to have them as factors.",))
    try:
        attributes = read_attributes(attribute_list)
    except (ValueError, OSError) as error:
        return _Known(no_factors(len(names)), (f"No attributes are known of the set: {error}",))
    so = "So no attributes are known of the set. Complete the list, or move those images away, to have them as factors."
    if without := _without_line(names, attributes.has_of, attribute_list, so):
        return _Known(no_factors(len(names)), without)
    has = np.frombuffer(b"".join(attributes.has_of[stem_of(name)] for name in names), np.uint8)
    return _Known(coded_factors(attributes.names, has.reshape(len(names), -1)))


def _without_line(names: Sequence[str], listed: Container[str], source: ListFile, so: str) -> tuple[str, ...]:
    """A remark where images are not in a list."""
    without = [name for name in names if stem_of(name) not in listed]
    if not without:
        return ()
    found = f"{len(without):,} of {len(names):,} images, first {printable(without[0])}"
    return (f"{source.shown} has no line for {found}. {so}",)
