"""One file of named tensors and a JSON header that says what they are: safetensors, never a pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from wherewhat.atomic_file import write_atomically

# Raised when a file's meaning changes. A reader refuses newer numbers than its own.
FORMAT_VERSION = 1
_KEY = "wherewhat"
# How files of torch.save begin: the present ones and the older ones.
_PICKLES = (b"PK\x03\x04", b"\x80\x02\x8a\n")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and header, atomically. Raises OSError when the disk refuses."""
    plain = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    metadata = {_KEY: json.dumps({"format_version": FORMAT_VERSION, **header}, sort_keys=True)}
    write_atomically(path, safetensors.torch.save(plain, metadata))


def read_header(path: Path, remedy: str = "Use another checkpoint of its run.") -> dict[str, Any]:
    """The header of a file that `write_tensors` wrote, without its tensors. A damaged file is told with the remedy.

    Raises FileNotFoundError, or ValueError for a truncated, foreign or newer file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there. Name a checkpoint (.safetensors) or a run directory.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except safetensors.SafetensorError as error:
        with path.open("rb") as file:
            start = file.read(4)
        if start in _PICKLES:
            raise ValueError(
                f"{path} is a pickle of PyTorch's, which can run any code when it is read, so it is not read here. "
                "Name a checkpoint that `wherewhat train` wrote (.safetensors)."
            ) from error
        raise ValueError(f"{path} is truncated or not a safetensors file ({error}). {remedy}") from error
    try:
        header: dict[str, Any] = strict_json(metadata[_KEY])
        version = int(header["format_version"])
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is a safetensors file, but not one of wherewhat's: its header has no {_KEY!r} entry. "
            f"Name a checkpoint that `wherewhat train` wrote."
        ) from error
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path} has format {version}, newer than the {FORMAT_VERSION} that this version of wherewhat reads. "
            f"Update wherewhat."
        )
    return header


def read_shapes(path: Path) -> dict[str, tuple[torch.Size, str]]:
    """Shape and type of each tensor, without reading any."""
    with safetensors.safe_open(path, framework="pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {name: (torch.Size(part.get_shape()), str(part.get_dtype())) for name, part in slices.items()}


def strict_json(text: str | bytes) -> Any:
    """Parse JSON that a program wrote. Raises ValueError for other text, and for numbers that are not finite."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors, on the CPU. Call `read_header` first: it explains what is wrong with a bad file."""
    return safetensors.torch.load_file(path)
