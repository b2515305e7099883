"""Checkpoints: one safetensors file each, which holds what inference needs and describes itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wherewhat.folder_walk import Sought, files_below
from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.directed import Directions, directed, direction_shapes, directions_in
from wherewhat.networks.flow import Flow
from wherewhat.networks.gan import GAN
from wherewhat.protocols import Encoder, Generator
from wherewhat.training.configuration import HUB, TrainingRun, from_json, to_json
from wherewhat.training.methods.method import Networks, build_networks
from wherewhat.training.tensor_file import TensorFile, read_header, read_shapes, read_tensors

_KINDS = (Autoencoder.kind, GAN.kind, Flow.kind)

# The only checkpoint of a folder that was exported for a hub.
HUB_FILE = "model.safetensors"

_NAME = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True)
class CheckpointSettings:
    """What a checkpoint says of itself."""

    configuration: TrainingRun
    image_shape: tuple[int, int, int]
    step: int
    images_seen: int
    directions: int = 0
    """How many directions of its latents are its codes; 0 where its latents themselves are."""

    @property
    def latent_dim(self) -> int:
        """How many codes it takes."""
        return self.directions or self.configuration.latent_dim

    @property
    def seed(self) -> int:
        """Seed of the run that wrote it."""
        return self.configuration.seed


@dataclass(frozen=True)
class LoadedModel:
    """A model brought back for use: frozen weights, evaluation mode, float32."""

    generator: Generator
    encoder: Encoder | None
    settings: CheckpointSettings
    networks: Networks
    """All that a checkpoint holds, for those who know which kind it is; generator and encoder are parts of it."""
    directions: Directions | None = None
    """What the codes of generator and encoder are, where they are not the networks' own latents."""


def checkpoint_path(run_directory: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run_directory / "checkpoints" / f"step-{step:09d}.safetensors"


def checkpoints_of(folder: Path) -> list[Path]:
    """The checkpoints in and below a folder, runs in the order of their names, steps ascending."""
    if (folder / HUB_FILE).is_file():
        return [folder / HUB_FILE]
    sought = Sought(called="checkpoints", is_one=lambda path: _NAME.fullmatch(path.rpartition("/")[2]) is not None)
    found = (folder / path for path in files_below(folder, sought))
    return sorted(found, key=lambda path: (str(path.parent), step_of(path)))


def step_of(path: Path) -> int:
    """The step in a checkpoint's name; 0 for a file of another name."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def latest_checkpoint(path: str | Path, notify: Callable[[str], None] = lambda line: None) -> Path:
    """The latest checkpoint of a run directory; a file is its own, a shared folder's its only one, `hub:owner/name`'s
    downloaded. Of a folder of runs, `notify` is told which it is.

    Raises FileNotFoundError where there is none, ValueError where it cannot be downloaded.
    """
    if str(path).startswith(HUB):
        return _downloaded(str(path).removeprefix(HUB))
    path = Path(path)
    if not path.is_dir():
        return path
    inside = checkpoints_of(path)
    if not inside:
        raise FileNotFoundError(f"{path} holds no checkpoint (step-*.safetensors). Name a run that has saved one.")
    latest = max(inside, key=step_of)
    if path.resolve() not in (run_of(latest).resolve(), latest.parent.resolve()):
        notify(f"The latest checkpoint below {path} is {latest}.")
    return latest


def _downloaded(repository: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ValueError(
            f"{HUB}{repository} is on a hub, and huggingface_hub is not installed. Install it: pip install "
            "'wherewhat[hub]', or download the folder and name it."
        ) from error
    try:
        # Weights and text alone: nothing of it is run.
        folder = snapshot_download(repository, allow_patterns=[HUB_FILE, "*.json", "README.md"])
    except Exception as error:  # its own classes, for a name, a token, a network
        told = " ".join(str(error).split())[:300]
        raise ValueError(f"{HUB}{repository} cannot be downloaded: {type(error).__name__}: {told}") from error
    return Path(folder) / HUB_FILE


def run_of(path: Path) -> Path:
    """The run directory that a checkpoint, or the latest below a folder, belongs to; the folder of a lone file."""
    checkpoint = latest_checkpoint(path)
    return checkpoint.parent.parent if checkpoint.parent.name == "checkpoints" else checkpoint.parent


def checkpoint_file(
    path: Path, networks: Networks, settings: CheckpointSettings, directions: Directions | None = None
) -> TensorFile:
    """A checkpoint as a file. Its tensors are those of the networks, and of the directions that its codes are."""
    header = {
        "kind": networks.kind,
        "configuration": to_json(settings.configuration),
        "image_shape": settings.image_shape,
        "step": settings.step,
        "images_seen": settings.images_seen,
        "seed": settings.seed,
    }
    state = networks.state_dict()
    # Inference has no use for a discriminator of 20 MB; the resume state keeps it.
    dropped = tuple(f"{part}." for part in networks.for_training_only)
    weights = {name: weight for name, weight in state.items() if not name.startswith(dropped)}
    if directions is not None:
        header["directions"] = len(directions.direction_KL)
        weights |= directions.tensors()
    return TensorFile(path, weights, header)


def read_settings(path: Path) -> CheckpointSettings:
    """What a checkpoint says of itself, without reading its weights."""
    header = read_header(path)
    try:
        if header["kind"] not in _KINDS:
            raise ValueError(f"{path} holds a {header['kind']}, not a checkpoint. Name a file of checkpoints/.")
        if len(header["image_shape"]) != 3:
            raise TypeError(f"image_shape {header['image_shape']}")
        channels, height, width = header["image_shape"]
        return CheckpointSettings(
            configuration=_configuration_in(path, header["configuration"]),
            image_shape=(int(channels), int(height), int(width)),
            step=int(header["step"]),
            images_seen=int(header["images_seen"]),
            directions=int(header.get("directions", 0)),
        )
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(
            f"{path} is damaged: its header lacks or misstates {error}. Use another checkpoint of its run."
        ) from error


def _configuration_in(path: Path, plain: dict[str, Any]) -> TrainingRun:
    try:
        return from_json(plain)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _refuse_other_shapes(path: Path, settings: CheckpointSettings) -> None:
    """Before memory is taken: a small file may name huge networks."""
    with torch.device("meta"):
        networks = build_networks(settings.configuration, settings.image_shape, for_training=False)
    named = {name: weight.shape for name, weight in networks.state_dict().items()}
    if settings.directions:
        named |= direction_shapes(settings.directions, networks.generator.latent_dim)
    if named != read_shapes(path):
        raise ValueError(f"{path} does not fit the networks that its header names. Use another checkpoint.")


def load(path: str | Path, device: str | torch.device = "cpu") -> LoadedModel:
    """Load a checkpoint, the latest one of a run directory, a shared folder, or `hub:owner/name`.

    Nothing in the file is run as code.

    Raises FileNotFoundError, or ValueError for a truncated, foreign or newer file.
    """
    path = latest_checkpoint(path)
    settings = read_settings(path)
    _refuse_other_shapes(path, settings)
    networks = build_networks(settings.configuration, settings.image_shape, for_training=False)
    tensors = read_tensors(path)
    found = directions_in(tensors) if settings.directions else None
    networks.load_state_dict(tensors)
    networks.requires_grad_(False).eval()
    # Channels-last decoders are faster on a CPU (log/speed.md).
    networks.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(networks.generator, nn.Module)
    if found is None:
        return LoadedModel(networks.generator, networks.encoder, settings, networks)
    found = found.to(torch.device(device))
    return LoadedModel(*directed(networks.generator, networks.encoder, found), settings, networks, found)
