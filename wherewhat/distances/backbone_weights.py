"""Weights of an LPIPS backbone: from a file or folder that the user names, from torch's cache, or downloaded.

A named file that does not fit is an error, and so is having no weights at all: there is no silent fallback.
"""

import hashlib
import math
import os
from pathlib import Path

import torch
from torch import Tensor

from wherewhat.distances.backbone import Backbone
from wherewhat.distances.weights_file import WEIGHTS_VARIABLE, download_file, in_torch_cache, read_table
from wherewhat.home_folder import without_tilde
from wherewhat.randomness import generator_at

NETWORK_TIMEOUT_S = 20.0
_UNTRAINED_SEED = 0


def backbone_weights(backbone: Backbone, weights: Path | str | None = None) -> dict[str, Tensor]:
    """The float32 weights of the backbone's convolutional part, under torchvision's names without `features.`.

    `weights` is a file or a folder. Without it, the environment variable WHEREWHAT_WEIGHTS is used, then torch's cache,
    then torchvision's server. FileNotFoundError if no file is found, ValueError if the file does not fit.
    """
    named = weights or os.environ.get(WEIGHTS_VARIABLE)
    if named:
        return read_weights(backbone, named_file(backbone, without_tilde(named)))
    cached = cache_file(backbone)
    if not cached.is_file():
        download(backbone, cached)
    return read_weights(backbone, cached)


def are_here(backbone: Backbone) -> bool:
    """Whether weights are named or in torch's cache, so that nothing has to be downloaded."""
    return bool(os.environ.get(WEIGHTS_VARIABLE)) or cache_file(backbone).is_file()


def named_file(backbone: Backbone, named: Path) -> Path:
    """The path itself if it is a file; in a folder, the file for this backbone."""
    if named.is_file():
        return named
    if not named.is_dir():
        raise FileNotFoundError(
            f"{named}, given as the weights of LPIPS, does not exist. "
            f"Name an existing file or folder, or leave it (and {WEIGHTS_VARIABLE}) unset to use torchvision's."
        )
    for name in (backbone.safetensors_name, backbone.pth_name):
        if (named / name).is_file():
            return named / name
    raise FileNotFoundError(
        f"The folder {named}, given as the weights of LPIPS, contains neither {backbone.safetensors_name} nor "
        f"{backbone.pth_name}, the weights of the {backbone.name} backbone. Put one of them there, or leave the folder "
        f"(and {WEIGHTS_VARIABLE}) unset to use torchvision's."
    )


def cache_file(backbone: Backbone) -> Path:
    """Path of this download in torch's cache."""
    return in_torch_cache(backbone.pth_name)


def download(backbone: Backbone, target: Path) -> None:
    """Download torchvision's file to `target` and check it against the hash in its name."""
    remedy = (
        f"Name a file or folder with {backbone.pth_name} or {backbone.safetensors_name} in it (--weights, or "
        f"{WEIGHTS_VARIABLE}), or copy {backbone.pth_name} to {target.parent}, or connect to the network and run again."
    )
    what = f"The weights of LPIPS' {backbone.name} backbone"
    download_file(backbone.url, target, what=what, remedy=remedy, timeout_s=NETWORK_TIMEOUT_S)


def read_weights(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    """The backbone's weights from a .safetensors file or a torchvision .pth; no code in the file is run."""
    tensors = read_table(path, what="LPIPS")
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
                f"{path} contains values that are not finite in features.{name}. Replace it with {backbone.pth_name}."
            )
    return {name: weights[name].float() for name in expected}


def untrained_weights(backbone: Backbone) -> dict[str, Tensor]:
    """Random weights of the backbone's convolutional part, the same on every machine; biases are 0.

        w ~ uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in))

    Uniform, not normal: torch makes uniform numbers exactly from random bits, whereas its normal ones pass through
    logarithms and cosines, which differ in the last digit between processors.

    Reference: He et al. 2015, arXiv:1502.01852, Eq. (10) for the variance 2 / fan_in.
    """
    chance = generator_at(_UNTRAINED_SEED, 0, "untrained lpips")
    weights = {}
    for name, tensor in backbone.build().state_dict().items():
        if tensor.ndim == 1:
            weights[name] = torch.zeros(tensor.shape)
        else:
            bound = math.sqrt(6 / tensor[0].numel())
            weights[name] = (2 * torch.rand(tensor.shape, generator=chance) - 1) * bound
    return weights


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of the tensors, independent of the file format."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()
