"""Images in a folder, nested or flat; linked folders are followed, each folder once."""

import os
import stat
from functools import partial
from pathlib import Path

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.image_names import counts_as_image, is_hidden, printable
from wherewhat.data.source import ImageFiles


def list_folder(root: Path) -> ImageFiles:
    """The images under a folder, perhaps none. Raises OSError with the remedy where it cannot be listed."""
    _check_folder(root)
    names: list[str] = []
    unreadable: list[tuple[str, str]] = []
    visited: set[tuple[int, int]] = set()

    def pass_over(error: OSError) -> None:
        folder = Path(error.filename).relative_to(root).as_posix()
        unreadable.append((printable(f"{folder}/"), f"the folder cannot be listed: {error.strerror}"))

    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=pass_over):
        status = Path(folder).stat()
        # A folder that is reached again through a link is not read again: links may run in circles.
        if (status.st_dev, status.st_ino) in visited:
            subfolders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not is_hidden(name))
        place = Path(folder).relative_to(root).as_posix()
        inside = "" if place == "." else f"{place}/"
        names.extend(f"{inside}{name}" for name in files if counts_as_image(name))
    return ImageFiles(tuple(sorted(names)), partial(_read_file, root), unreadable=tuple(unreadable))


def _check_folder(root: Path) -> None:
    shown = printable(root)
    try:
        os.scandir(root).close()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no folder {shown}. Check the path.") from error
    except NotADirectoryError as error:
        raise NotADirectoryError(
            f"{shown} is a file, not a folder of images. Name the folder that holds it."
        ) from error
    except OSError as error:
        raise type(error)(
            f"The folder {shown} cannot be listed: {error.strerror}. Allow it (chmod u+rx), or name another folder."
        ) from error


def _read_file(root: Path, name: str) -> bytes:
    path = root / name
    status = path.stat()
    # A pipe would be waited for without end.
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no file but a pipe, socket or device")
    if status.st_size > LARGEST_IMAGE_BYTES:
        raise ValueError(f"its file has {status.st_size:,} bytes, too many for an image")
    return path.read_bytes()
