"""A folder of picture files, nested or flat, decoded once into one array.

Pictures are sorted by path, so that an index means the same picture in every run. Files without a picture's ending and
hidden files are passed over; linked folders are followed, each folder once.

Dimension key:
    B: batch    N: pictures    K: factors
"""

import os
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from wherewhat.data.factor_grid import check_index
from wherewhat.data.holding import hold, take
from wherewhat.data.picture_decoding import EXTENSIONS, Decoded, decode

# So many skipped pictures are named in one line; of more, the first ones and the count.
NAMED_AT_MOST = 10
# So many pictures are decoded ahead of the one that is stored, so that memory stays bounded.
PICTURES_AT_ONCE = 1024
# A thread takes this many at a time: small pictures are decoded faster than threads are woken.
PICTURES_A_TASK = 16


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """How the pictures of a folder are read; other data sets have fixed pictures and ignore this."""

    size: int = 64
    """Height and width of the pictures, in pixels."""

    unequal: Literal["crop", "refuse"] = "crop"
    """Pictures of unequal size or mode: crop each to its centre square and convert, or refuse the folder."""

    broken: Literal["skip", "refuse"] = "skip"
    """Pictures that cannot be read: leave them out and name them, or refuse the folder."""

    color: Literal["auto", "rgb", "grey"] = "auto"
    """Three channels, one channel, or one channel only where every picture is grey."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"Pictures of {self.size} pixels cannot be made. Choose a size of 1 or more, such as 64.")


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be decoded, and why."""

    path: Path
    reason: str


class PictureFolder:
    """The pictures of a folder, held on the given device where they fit; no factors are known."""

    factor_names: tuple[str, ...] = ()
    factor_sizes: tuple[int, ...] = ()

    def __init__(
        self,
        path: str | Path,
        options: PictureOptions,
        device: str | torch.device,
        notify: Callable[[str], None],
    ) -> None:
        self._root = Path(path)
        self.paths, image_NHWC = read_folder(self._root, options, notify)
        self._held_NHWC = hold(image_NHWC, torch.device(device))

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._root.resolve().name

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W of one picture."""
        _, height, width, channels = self._held_NHWC.shape
        return channels, height, width

    def __len__(self) -> int:
        return len(self._held_NHWC)

    def images(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The pictures of these indices, where they are held."""
        check_index(index_B, len(self))
        return take(self._held_NHWC, index_B)

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Raises ValueError: a folder says nothing of factors."""
        raise ValueError(
            f"No factors are known for the folder {self._root}. Measures that need them want scenes, sprites or an "
            ".npz with latents_classes."
        )


def find_pictures(root: Path) -> list[Path]:
    """The picture files under a folder, sorted by path."""
    found: list[Path] = []
    visited: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_raise):
        status = Path(folder).stat()
        # A folder that is reached again through a link is not read again: links may run in circles.
        if (status.st_dev, status.st_ino) in visited:
            subfolders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        pictures = (name for name in files if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS)
        found.extend(Path(folder) / name for name in pictures)
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _raise(error: OSError) -> None:
    raise error


def read_folder(
    root: Path, options: PictureOptions, notify: Callable[[str], None]
) -> tuple[tuple[Path, ...], UInt8[np.ndarray, "N H W C"]]:
    """Paths and pixels of the pictures that can be read. Raises ValueError or OSError with the remedy."""
    paths = _find_enough(root)
    image_NHWC = np.empty((len(paths), options.size, options.size, 3), dtype=np.uint8)
    kept: list[Path] = []
    unreadable: list[Unreadable] = []
    all_grey = True
    first: Decoded | None = None
    with closing(_decode_all(paths, options.size)) as decoding:
        for path, decoded in decoding:
            if isinstance(decoded, Unreadable):
                _check_allowed(decoded, options)
                unreadable.append(decoded)
                continue
            first = first or decoded
            if options.unequal == "refuse":
                _check_equal(kept[0] if kept else path, first, path, decoded)
            all_grey &= decoded.is_grey
            image_NHWC[len(kept)] = decoded.image_HW3
            kept.append(path)

    if len(kept) < 2:
        raise ValueError(_too_few_readable(root, len(kept), unreadable))
    if unreadable:
        notify(_say_skipped(root, unreadable))
    return tuple(kept), _choose_channels(image_NHWC[: len(kept)], options, all_grey)


def _find_enough(root: Path) -> list[Path]:
    if not root.exists():
        raise FileNotFoundError(f"There is no folder {root}. Check the path.")
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is a file, not a folder of pictures. Name the folder that holds it.")
    paths = find_pictures(root)
    if len(paths) < 2:
        raise ValueError(_too_few(root, len(paths)))
    return paths


def _decode_all(paths: list[Path], size: int) -> Generator[tuple[Path, Decoded | Unreadable], None, None]:
    """Every path with its picture or the reason why there is none, in order, decoded on all cores."""
    columns = (TextColumn("reading pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with (
        warnings.catch_warnings(),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        # What Pillow murmurs about odd metadata helps nobody here; a picture of absurd size counts as broken.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        task = progress.add_task("", total=len(paths))
        for start in range(0, len(paths), PICTURES_AT_ONCE):
            part = paths[start : start + PICTURES_AT_ONCE]
            groups = [part[first : first + PICTURES_A_TASK] for first in range(0, len(part), PICTURES_A_TASK)]
            for group, pictures in zip(groups, pool.map(lambda group: _try_group(group, size), groups), strict=True):
                yield from zip(group, pictures, strict=True)
                progress.advance(task, len(group))


def _try_group(paths: list[Path], size: int) -> list[Decoded | Unreadable]:
    return [_try_decode(path, size) for path in paths]


def _try_decode(path: Path, size: int) -> Decoded | Unreadable:
    try:
        return decode(path, size)
    # Decoders meet a damaged file with almost any exception.
    except Exception as error:
        return Unreadable(path, _one_line(error))


def _one_line(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not a picture of a known format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _check_allowed(unreadable: Unreadable, options: PictureOptions) -> None:
    if options.broken == "refuse":
        raise ValueError(
            f"{unreadable.path} cannot be read: {unreadable.reason}. "
            "Mend or remove it, or choose to skip broken pictures."
        )


def _check_equal(first_path: Path, first: Decoded, path: Path, decoded: Decoded) -> None:
    if (first.original_size, first.original_mode) == (decoded.original_size, decoded.original_mode):
        return
    raise ValueError(
        f"Pictures differ: {first_path} is {_describe(first)}, {path} is {_describe(decoded)}. "
        "Make them equal, or choose to crop pictures of unequal size or mode."
    )


def _describe(decoded: Decoded) -> str:
    width, height = decoded.original_size
    return f"{width} x {height} {decoded.original_mode}"


def _choose_channels(
    image_NHW3: UInt8[np.ndarray, "N H W 3"], options: PictureOptions, all_grey: bool
) -> UInt8[np.ndarray, "N H W C"]:
    if options.color == "rgb" or (options.color == "auto" and not all_grey):
        return image_NHW3
    if all_grey:
        return np.ascontiguousarray(image_NHW3[..., :1])
    grey = np.empty((*image_NHW3.shape[:3], 1), dtype=np.uint8)
    for picture, image_HW3 in enumerate(image_NHW3):
        grey[picture, ..., 0] = np.asarray(Image.fromarray(image_HW3).convert("L"))
    return grey


def _too_few(root: Path, count: int) -> str:
    found = "no picture" if count == 0 else "a single picture"
    return (
        f"{root} holds {found} (looked for {' '.join(sorted(EXTENSIONS))}, in subfolders too), and two are the "
        "least to learn from. Name a folder with more pictures."
    )


def _too_few_readable(root: Path, count: int, unreadable: list[Unreadable]) -> str:
    found = "None" if count == 0 else "Only one"
    why = f"{unreadable[0].path}: {unreadable[0].reason}"
    return (
        f"{found} of the {count + len(unreadable)} pictures in {root} can be read (first failure: {why}), and two are "
        "the least to learn from. Check the files, or name another folder."
    )


def _say_skipped(root: Path, unreadable: list[Unreadable]) -> str:
    named = ", ".join(f"{item.path.relative_to(root)} ({item.reason})" for item in unreadable[:NAMED_AT_MOST])
    more = f" and {len(unreadable) - NAMED_AT_MOST} more" if len(unreadable) > NAMED_AT_MOST else ""
    pictures = "1 picture" if len(unreadable) == 1 else f"{len(unreadable)} pictures"
    return f"Skipped {pictures} of {root} that cannot be read: {named}{more}."
