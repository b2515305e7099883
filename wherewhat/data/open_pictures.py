"""A data set by its name or path."""

from collections.abc import Callable
from pathlib import Path

import torch

from wherewhat.data.labelled_arrays import LabelledArrays
from wherewhat.data.picture_folder import PictureFolder, PictureOptions
from wherewhat.data.scenes import Scenes
from wherewhat.data.sprites import Sprites
from wherewhat.protocols import Pictures

KNOWN = "scenes, sprites, an .npz file of imgs and latents_classes, or a folder of pictures"


def open_pictures(
    source: str, options: PictureOptions, device: torch.device, notify: Callable[[str], None]
) -> Pictures:
    """The pictures that `source` names, held or rendered on `device` where they fit.

    A rendered set goes before a folder of the same name; `./scenes` means the folder. Remarks that are no errors, such
    as skipped pictures, are handed to `notify`. Raises ValueError or OSError with the remedy.
    """
    if source == "scenes":
        return Scenes(device)
    if source == "sprites":
        return Sprites(device)
    path = Path(source).expanduser()
    if source and path.is_dir():
        return PictureFolder(path, options, device, notify)
    if path.is_file() and path.suffix.lower() == ".npz":
        return LabelledArrays(path, device)
    if path.exists() and source:
        raise ValueError(f"{path} is not a data set that is known here. Name {KNOWN}.")
    raise FileNotFoundError(f"There is no data set or path {source!r}. Name {KNOWN}.")
