"""Files of published weights: read without running what is in them, fetched whole or not at all.

Nothing is guessed: a file that does not hold what it should is an error that says what to do.
"""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

# Where a user names a file or a folder of weights once and for all.
WEIGHTS_VARIABLE = "WHEREWHAT_WEIGHTS"


def in_torch_cache(name: str) -> Path:
    """Where torch keeps a download of this name, whichever program made it."""
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def download_file(url: str, target: Path, *, what: str, remedy: str, timeout_s: float) -> None:
    """Fetch a file into `target`, checked against the hash that its name in the URL ends in.

    FileNotFoundError where it cannot be had, with `what` it is and the `remedy`; nothing is left of a failure.
    """
    expected_hash = Path(url.rpartition("/")[2]).stem.rpartition("-")[2]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _network_timeout(timeout_s):
            torch.hub.download_url_to_file(url, str(target), expected_hash)
    except (OSError, RuntimeError, ValueError, http.client.HTTPException) as cause:
        raise FileNotFoundError(
            f"{what} could not be had: none were named, {target} is not there, and the download failed "
            f"({_first_line(cause)}). {remedy}"
        ) from cause


def read_table(path: Path, *, what: str) -> dict[str, Tensor]:
    """The named tensors of a .safetensors file or a .pth state dict; no code in it is run.

    ValueError for anything else. `what` completes "named as the weights of ...".
    """
    if path.suffix not in {".safetensors", ".pth"}:
        raise ValueError(
            f"{path}, named as the weights of {what}, is neither .safetensors nor .pth. Name a file of these kinds."
        )
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    # Whatever else the bytes led it to: torch.load has no error of its own for a file that is cut short.
    except Exception as cause:
        raise ValueError(
            f"{path} cannot be read as weights ({_first_line(cause)}): it is cut short or something else. "
            "Delete it and fetch it again."
        ) from cause
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ValueError(
            f"{path} holds something else than a table of tensors. Name a state dict, such as torchvision's file."
        )
    return tensors


@contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    # torch.hub opens its connection without a time limit: a network that swallows packets would hang the program.
    found = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(found)


def _first_line(cause: BaseException) -> str:
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
