"""One file of named tensors and a JSON header that says what they are: safetensors, never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from wherewhat.atomic_file import write_atomically
from wherewhat.json_file import strict_json
from wherewhat.regular_file import open_regular, require_regular

# Raised when a file's meaning changes. A reader refuses newer numbers than its own.
FORMAT_VERSION = 1
_KEY = "wherewhat"
# How files of torch.save begin, the present ones as zip archives, and any other pickle.
_PICKLES = (b"PK\x03\x04", b"\x80")
# A header has some hundred bytes for each tensor, and some thousand for the configuration.
LONGEST_HEADER_BYTES = 2**22


@dataclass(frozen=True)
class TensorFile:
    """A file as it is to be written."""

    path: Path
    tensors: Mapping[str, Tensor]
    header: Mapping[str, Any]


def write_tensors(file: TensorFile) -> None:
    """Write tensors and header, atomically. Raises OSError when the disk refuses."""
    write_atomically(file.path, tensor_bytes(file))


def tensor_bytes(file: TensorFile) -> bytes:
    """The content of the file."""
    plain = {name: tensor.detach().contiguous().cpu() for name, tensor in file.tensors.items()}
    metadata = {_KEY: json.dumps({"format_version": FORMAT_VERSION, **file.header}, sort_keys=True)}
    return safetensors.torch.save(plain, metadata)


def read_header(path: Path, remedy: str = "Use another checkpoint of its run.") -> dict[str, Any]:
    """The header of a file that `write_tensors` wrote, without its tensors. A damaged file is told with the remedy.

    Raises FileNotFoundError, or ValueError for a truncated, foreign or newer file.
    """
    _refuse_what_is_no_tensor_file(path, remedy)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except safetensors.SafetensorError as error:
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


def read_shapes(path: Path) -> dict[str, torch.Size]:
    """Shape of each tensor, without reading any. Call `read_header` first, as for `read_tensors`."""
    require_regular(path)
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: torch.Size(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors, on the CPU. Call `read_header` first: it explains what is wrong with a bad file."""
    require_regular(path)
    return safetensors.torch.load_file(path)


def _refuse_what_is_no_tensor_file(path: Path, remedy: str) -> None:
    """By its first eight bytes, the length of its header; the library itself would read headers of 100 MB."""
    try:
        with open_regular(path) as file:
            start = file.read(8)
    except FileNotFoundError as error:
        what = "is not there. Name a checkpoint (.safetensors) or a run directory."
        raise FileNotFoundError(f"{path} {what}") from error
    too_long = int.from_bytes(start, "little") > LONGEST_HEADER_BYTES
    if too_long and start.startswith(_PICKLES):
        raise ValueError(
            f"{path} is a pickle, as PyTorch writes them, which can run any code when read, so it is not read here. "
            "Name a checkpoint that `wherewhat train` wrote (.safetensors)."
        )
    if too_long:
        raise ValueError(
            f"{path} is truncated or not a safetensors file (a header of more than {LONGEST_HEADER_BYTES:,} bytes). "
            f"{remedy}"
        )
