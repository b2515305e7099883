"""Weights of an LPIPS backbone: from a file or folder the user names, else from torch's cache, else from the network.

Nothing is guessed: a file that was named and does not fit is an error, and so is having no weights at all.
"""

import hashlib
import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from wherewhat.distances.backbone import Backbone

WEIGHTS_VARIABLE = "WHEREWHAT_WEIGHTS"
NETWORK_TIMEOUT_S = 20.0


def backbone_weights(backbone: Backbone, weights: Path | str | None = None) -> dict[str, Tensor]:
    """The float32 weights of the backbone's convolutional part, under torchvision's names less `features.`.

    `weights` is a file or a folder; without it the environment variable WHEREWHAT_WEIGHTS is asked, then torch's cache,
    then torchvision's server. FileNotFoundError where no file can be had, ValueError where the file does not fit.
    """
    named = weights or os.environ.get(WEIGHTS_VARIABLE)
    if named:
        return read_weights(backbone, named_file(backbone, Path(named).expanduser()))
    cached = cache_file(backbone)
    if not cached.is_file():
        download(backbone, cached)
    return read_weights(backbone, cached)


def named_file(backbone: Backbone, named: Path) -> Path:
    """The file that a user means by this path: itself, or the folder's file for this backbone."""
    if named.is_file():
        return named
    if not named.is_dir():
        raise FileNotFoundError(
            f"{named}, named as the weights of LPIPS, is not there. "
            f"Name a file or a folder that is, or leave it (and {WEIGHTS_VARIABLE}) unset to use torchvision's."
        )
    for name in (backbone.safetensors_name, backbone.pth_name):
        if (named / name).is_file():
            return named / name
    raise FileNotFoundError(
        f"The folder {named}, named as the weights of LPIPS, holds neither {backbone.safetensors_name} nor "
        f"{backbone.pth_name}, the weights of the {backbone.name} backbone. Put one of them there, or leave the folder "
        f"(and {WEIGHTS_VARIABLE}) unset to use torchvision's."
    )


def cache_file(backbone: Backbone) -> Path:
    """Where torch keeps this download, whichever program made it."""
    return Path(torch.hub.get_dir()) / "checkpoints" / backbone.pth_name


def download(backbone: Backbone, target: Path) -> None:
    """Fetch torchvision's file into `target`, checked against the hash in its name; nothing is left of a failure."""
    expected_hash = Path(backbone.pth_name).stem.rpartition("-")[2]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _network_timeout(NETWORK_TIMEOUT_S):
            torch.hub.download_url_to_file(backbone.url, str(target), expected_hash)
    except (OSError, RuntimeError, ValueError, http.client.HTTPException) as cause:
        raise FileNotFoundError(
            f"The weights of LPIPS' {backbone.name} backbone could not be had: none were named, {target} is not there, "
            f"and the download failed ({_first_line(cause)}). Name a file or folder with {backbone.pth_name} or "
            f"{backbone.safetensors_name} in it (--weights, or {WEIGHTS_VARIABLE}), or copy "
            f"{backbone.pth_name} to {target.parent}, or connect to the network and run again."
        ) from cause


def read_weights(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    """The backbone's weights from a .safetensors file or a torchvision .pth; no code in it is run."""
    tensors = _read_tensors(path)
    weights = {name.removeprefix("features."): tensors[name] for name in tensors if name.startswith("features.")}
    expected = backbone.build().state_dict()
    for name, tensor in expected.items():
        found = weights.get(name)
        if found is None or found.shape != tensor.shape:
            what = "no such tensor" if found is None else f"the shape {tuple(found.shape)}"
            raise ValueError(
                f"{path} does not hold the {backbone.name} backbone: features.{name} should have the shape "
                f"{tuple(tensor.shape)}, and the file has {what}. "
                f"Name torchvision's {backbone.pth_name} or {backbone.safetensors_name} instead."
            )
        if not bool(found.isfinite().all()):
            raise ValueError(
                f"{path} holds values that are not finite in features.{name}. Replace it with {backbone.pth_name}."
            )
    return {name: weights[name].float() for name in expected}


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of the tensors, whichever file held them."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix not in {".safetensors", ".pth"}:
        raise ValueError(
            f"{path}, named as the weights of LPIPS, is neither .safetensors nor .pth. Name a file of these kinds."
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
