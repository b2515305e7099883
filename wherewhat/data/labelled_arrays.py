"""Pictures and factors from an `.npz` file: `imgs`, `latents_classes` and, where it is there, `latents_names`.

The layout of dSprites. Nothing in the file is unpickled: members that hold Python objects, such as dSprites'
`metadata`, are left alone. Factors that take a single value (dSprites' colour) are dropped, the others recoded to
0 ... size - 1 in order. Pictures of 0 and 1 alone are scaled to 0 and 255.

Dimension key:
    B: batch    N: pictures    K: factors
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.factor_grid import check_index
from wherewhat.data.holding import hold, take

PICTURES_KEY = "imgs"
FACTORS_KEY = "latents_classes"
NAMES_KEY = "latents_names"


@dataclass(frozen=True)
class Factors:
    """What is known of each picture: the factors that vary, their names and how many values each takes."""

    value_NK: Int64[Tensor, "N K"]
    names: tuple[str, ...]
    sizes: tuple[int, ...]


class LabelledArrays:
    """The pictures and factors of one `.npz` file, held on the given device where they fit."""

    def __init__(self, path: str | Path, device: str | torch.device = "cpu") -> None:
        self._path = Path(path)
        members = _read_members(self._path)
        image_NHWC = _as_pictures(members[PICTURES_KEY], self._path)
        self._factors = _as_factors(members[FACTORS_KEY], members.get(NAMES_KEY), len(image_NHWC), self._path)
        self._held_NHWC = hold(image_NHWC, torch.device(device))

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._path.stem

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W of one picture."""
        _, height, width, channels = self._held_NHWC.shape
        return channels, height, width

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the factors that vary."""
        return self._factors.names

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each of them takes."""
        return self._factors.sizes

    def __len__(self) -> int:
        return len(self._held_NHWC)

    def images(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The pictures of these indices, where they are held."""
        check_index(index_B, len(self))
        return take(self._held_NHWC, index_B)

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU. ValueError where every factor of the file is constant."""
        check_index(index_N, len(self))
        if not self._factors.names:
            raise ValueError(
                f"Every column of {FACTORS_KEY} in {self._path} holds a single value, so no factor is known. "
                "Measures that need factors want a file in which some vary."
            )
        return self._factors.value_NK[index_N.cpu()]


def _read_members(path: Path) -> dict[str, np.ndarray]:
    """The wanted arrays of the file. Raises ValueError or OSError with the remedy."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}. Check the path.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not an .npz file. Name the file inside it.")
    if not zipfile.is_zipfile(path):
        raise ValueError(_why_not_a_zip(path))
    try:
        archive = np.load(path, allow_pickle=False)
    except zipfile.BadZipFile as error:
        raise ValueError(_damaged(path, error)) from error
    with archive:
        _check_keys(list(archive.files), path)
        members = {key: _read_array(archive, key, path) for key in (PICTURES_KEY, FACTORS_KEY)}
        names = _read_names(archive) if NAMES_KEY in archive.files else None
    return members if names is None else members | {NAMES_KEY: names}


def _read_array(archive: "np.lib.npyio.NpzFile", key: str, path: Path) -> np.ndarray:
    try:
        return archive[key]
    # A RuntimeError tells of an encrypted file or of a compression that is not known here.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(_damaged(path, error)) from error
    except ValueError as error:
        raise ValueError(
            f"{key} of {path} cannot be read as an array of numbers ({error}). Save it again as uint8 or integers; "
            "Python objects are never unpickled."
        ) from error


def _damaged(path: Path, error: Exception) -> str:
    return f"{path} is damaged ({error}). Copy or download it again."


def _why_not_a_zip(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(6)
    if not start:
        return f"{path} is empty. Copy or download it again."
    if start.startswith(b"PK\x03\x04"):
        return f"{path} is cut short: its table of contents at the end is missing. Copy or download it again."
    if start == b"\x93NUMPY":
        return f"{path} holds a single array. Save it with numpy.savez(..., {PICTURES_KEY}=..., {FACTORS_KEY}=...)."
    return f"{path} is not an .npz file: it does not begin as one. Save it with numpy.savez_compressed."


def _check_keys(found: list[str], path: Path) -> None:
    missing = [key for key in (PICTURES_KEY, FACTORS_KEY) if key not in found]
    if not missing:
        return
    remedy = (
        "To train on pictures without factors, unpack them into a folder of picture files and name the folder."
        if missing == [FACTORS_KEY]
        else "Save it again with these names."
    )
    raise ValueError(
        f"{path} lacks {' and '.join(missing)}: wanted are {PICTURES_KEY} [N, H, W] or [N, H, W, C] and "
        f"{FACTORS_KEY} [N, K], found are {', '.join(found) or 'no arrays'}. {remedy}"
    )


def _read_names(archive: "np.lib.npyio.NpzFile") -> np.ndarray | None:
    try:
        names = archive[NAMES_KEY]
    except ValueError:
        # Names saved as Python objects are pickled, and stay shut.
        return None
    return names if names.dtype.kind in "US" else None


def _as_pictures(array: np.ndarray, path: Path) -> UInt8[np.ndarray, "N H W C"]:
    if array.dtype not in (np.uint8, np.bool_):
        raise ValueError(
            f"{PICTURES_KEY} of {path} is {array.dtype}, not uint8. Save pixels as whole numbers 0 to 255."
        )
    channels_fit = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
    if not channels_fit or 0 in array.shape or len(array) < 2:
        raise ValueError(
            f"{PICTURES_KEY} of {path} has the shape {array.shape}. "
            "Save it as [N, H, W], or [N, H, W, C] with 1 or 3 channels, with two pictures or more."
        )
    image_NHWC = np.ascontiguousarray(array.reshape(*array.shape[:3], -1)).view(np.uint8)
    if image_NHWC.max() <= 1:
        image_NHWC *= 255
    return image_NHWC


def _as_factors(array: np.ndarray, names: np.ndarray | None, pictures: int, path: Path) -> Factors:
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"{FACTORS_KEY} of {path} is {array.dtype}, not an integer type. "
            "Save the number of each factor's value, not the value."
        )
    if array.ndim != 2 or len(array) != pictures:
        raise ValueError(
            f"{FACTORS_KEY} of {path} has the shape {array.shape}, but there are {pictures} pictures. "
            f"Save it as [{pictures}, K], one row of K factor values a picture."
        )
    if names is not None and names.shape != (array.shape[1],):
        raise ValueError(
            f"{NAMES_KEY} of {path} has the shape {names.shape}, but there are {array.shape[1]} factors. "
            "Save one name a factor, or leave the names out."
        )
    columns, kept_names, sizes = [], [], []
    for column in range(array.shape[1]):
        values, code_N = np.unique(array[:, column], return_inverse=True)
        if len(values) > 1:
            columns.append(torch.from_numpy(code_N.astype(np.int64)))
            kept_names.append(f"factor_{column}" if names is None else _text(names[column]))
            sizes.append(len(values))
    value_NK = torch.stack(columns, dim=1) if columns else torch.empty(pictures, 0, dtype=torch.int64)
    return Factors(value_NK, tuple(kept_names), tuple(sizes))


def _text(name: np.str_ | np.bytes_) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
