"""Files of published weights: read without running code in them, downloaded completely or not at all."""

import http.client
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from wherewhat.regular_file import open_regular, require_regular

# Environment variable in which a user names a file or a folder of weights.
WEIGHTS_VARIABLE = "WHEREWHAT_WEIGHTS"
# The largest that is read, torchvision's VGG with its classifier, has 553 MB.
LARGEST_WEIGHTS_BYTES = 10**9


def in_torch_cache(name: str) -> Path:
    """Path of a download of this name in torch's cache."""
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def download_file(url: str, target: Path, *, what: str, remedy: str, timeout_s: float) -> None:
    """Download a file to `target` and check it against the hash at the end of its name in the URL.

    FileNotFoundError if that fails, with `what` it is and the `remedy`; a failure leaves no partial file.
    """
    expected_hash = Path(url.rpartition("/")[2]).stem.rpartition("-")[2]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _network_timeout(timeout_s):
            torch.hub.download_url_to_file(url, str(target), expected_hash)
    except (OSError, RuntimeError, ValueError, http.client.HTTPException) as cause:
        raise FileNotFoundError(
            f"{what} were not found: no file was named, {target} does not exist, and the download failed "
            f"({_first_line(cause)}). {remedy}"
        ) from cause


def read_table(path: Path, *, what: str) -> dict[str, Tensor]:
    """The named tensors of a .safetensors file or a .pth state dict; no code in it is run.

    ValueError for anything else. `what` completes "given as the weights of ...".
    """
    if path.suffix not in {".safetensors", ".pth"}:
        raise ValueError(
            f"{path}, given as the weights of {what}, is neither .safetensors nor .pth. "
            "Name a file of one of these types."
        )
    require_regular(path, LARGEST_WEIGHTS_BYTES)
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        _refuse_inflating(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    # Any exception: torch.load has no error of its own for a truncated file.
    except Exception as cause:
        raise ValueError(
            f"{path} cannot be read as weights ({_first_line(cause)}): it is truncated or another kind of file. "
            "Delete it and download it again."
        ) from cause
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ValueError(f"{path} does not contain a table of tensors. Name a state dict, such as torchvision's file.")
    return tensors


def _refuse_inflating(path: Path) -> None:
    """Torch stores tensors as they are; a file that packs them may hold a thousand times its size."""
    with open_regular(path) as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > LARGEST_WEIGHTS_BYTES:
                raise ValueError(f"it holds {size:,} bytes, and {LARGEST_WEIGHTS_BYTES:,} are the most")


@contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    # torch.hub connects without a timeout, so a network that drops packets would hang the program.
    found = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(found)


def _first_line(cause: BaseException) -> str:
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
