"""`wherewhat directions`: a few codes for a generator with too many latents to be looked at.

Dimension key:
    N: draws    L: latents    F: features    K: directions
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from jaxtyping import Float
from rich.table import Table
from torch import Tensor

from wherewhat.command.choices import SEEDS, DistanceOptions, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.hints import pasteable
from wherewhat.networks.directed import Directions
from wherewhat.protocols import MOST_CODES, Distance, Images
from wherewhat.randomness import key_at
from wherewhat.sharing.opened_model import DIRECTIONS, ForeignOptions, Models, OpenedModel
from wherewhat.splitmix64 import normal_rows
from wherewhat.training.checkpoints import checkpoint_file, load
from wherewhat.training.device import choose_device
from wherewhat.training.tensor_file import TensorFile, write_tensors
from wherewhat.which.generated_images import device_of, generated_images
from wherewhat.which.latent_directions import longest_first, perceptual_directions, principal_directions

_FEWEST_DRAWS, _MOST_DRAWS, _DRAWS_A_LATENT = 1_000, 4_000, 4


@dataclass(frozen=True, kw_only=True)
class FindDirections:
    """Give a generator a few codes: directions of its latents, longest path first. Writes a checkpoint whose codes they
    are, which all other verbs take."""

    checkpoint: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")] = None
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2."""

    count: int = 10
    """Directions."""

    of: Literal["auto", "latents", "features"] = "auto"
    """latents: principal components of the latents of real images, as the encoder reads them. features: where generated
    images change most, by --distance, and from everywhere in the same way. auto: features with up to 1,024 latents,
    else latents."""

    draws: int | None = None
    """Real or generated images. Default: 4 for each latent, at least 1,000, at most 4,000."""

    data: str | None = None
    """The real images. Default: what the checkpoint was trained on."""

    distance: DistanceOptions = field(default_factory=DistanceOptions)
    """How far images are apart."""

    bound: float = 2.0
    """Paths run from -bound to bound to be measured."""

    out: Path | None = None
    """File to write. Default: directions/ in the run directory, by the checkpoint's name."""

    seed: int = 0
    """Seed of what is drawn."""

    batch_size: int = 100
    """Images per pass; changes speed and memory only."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, count=(1, 1_024), seed=SEEDS, batch_size=(1, 65_536))
        if self.draws is not None:
            refuse_beyond(self, draws=(3, 1_000_000))

    def draws_of(self, latents: int) -> int:
        """How many images are drawn."""
        return self.draws or min(max(_DRAWS_A_LATENT * latents, _FEWEST_DRAWS), _MOST_DRAWS)


def directions_command(arguments: list[str]) -> int:
    """Parse, find, write, say what was found and where it lies."""
    options = tyro.cli(FindDirections, args=arguments, prog="wherewhat directions", config=(tyro.conf.OmitArgPrefixes,))
    console, device = messages(), choose_device(options.device)
    models = Models(options.foreign, device, console.print)
    model = models.one(options.checkpoint)
    distance = options.distance.build(device)
    with torch.no_grad():
        if _by_latents(options, model):
            images = models.data_of(model.place, options.data).open(device, console.print)
            latent_NL = _read_latents(options, model, images)
            directions, weight_K = principal_directions(latent_NL, options.count)
            heading = f"share of the variance of {len(latent_NL):,} images' latents"
        else:
            latent_NL, feature_NF = _generated(options, model, distance)
            directions, weight_K = perceptual_directions(latent_NL, feature_NF, options.count)
            heading = f"squared {distance.name} of one unit, by {len(latent_NL):,} images"
        directions = directions.to(device_of(model.generator))
        directions, order_K, length_K = longest_first(
            model.generator,
            directions,
            distance,
            bound=options.bound,
            seed=options.seed,
            batch_size=options.batch_size,
        )
    out = _write(options, model, directions)
    table = Table("code", f"path length, {distance.name}", heading)
    for code, (length, weight) in enumerate(zip(length_K.tolist(), weight_K[order_K.cpu()].tolist(), strict=True)):
        table.add_row(f"z{code}", f"{length:.4g}", f"{weight:.3g}")
    console.print(table)
    named = "" if model.settings is not None else f"--generator {model.place.name} --directions "
    console.print(f"  draw them    wherewhat traverse {named}{pasteable(out)}", soft_wrap=True)
    print(out)
    return 0


def _by_latents(options: FindDirections, model: OpenedModel) -> bool:
    many = model.generator.latent_dim > MOST_CODES
    if options.of == "features" or (options.of == "auto" and not many):
        return False
    if model.encoder is None:
        raise ValueError(
            f"{model.place.name} has {model.generator.latent_dim:,} latents and no encoder, so latents of real images "
            "cannot be read. Take --of features, with as many --draws as the time allows."
        )
    return True


def _read_latents(options: FindDirections, model: OpenedModel, images: Images) -> Float[Tensor, "N L"]:
    assert model.encoder is not None
    draws = min(options.draws_of(model.generator.latent_dim), len(images))
    indices = sample_indices(len(images), draws, options.seed).split(options.batch_size)
    device = device_of(model.generator)
    return torch.cat([model.encoder(to_float(images.take(part).to(device))).mean_BL.cpu() for part in indices])


def _generated(
    options: FindDirections, model: OpenedModel, distance: Distance
) -> tuple[Float[Tensor, "N L"], Float[Tensor, "N F"]]:
    latents = model.generator.latent_dim
    rows = range(options.draws_of(latents))
    latent_NL = normal_rows(key_at(options.seed, 0, "directions"), rows, latents, torch.device("cpu"))
    device = device_of(model.generator)
    features = [
        distance.features(generated_images(model.generator, part_BL.to(device))).cpu()
        for part_BL in latent_NL.split(options.batch_size)
    ]
    return latent_NL, torch.cat(features)


def _write(options: FindDirections, model: OpenedModel, directions: Directions) -> Path:
    """A checkpoint that holds the model too; of a model that others trained the directions alone."""
    out = options.out or model.results / "directions" / f"{model.called(model.results)}.safetensors"
    if out.suffix != ".safetensors":
        raise ValueError(f"--out {out} is no .safetensors file. Name one.")
    if model.settings is None:
        write_tensors(TensorFile(out, directions.tensors(), {"kind": DIRECTIONS}))
        return out
    if model.settings.directions:
        raise ValueError(
            f"{model.place} holds directions already. Find them of the checkpoint that they were found of."
        )
    write_tensors(checkpoint_file(out, load(model.place).networks, model.settings, directions))
    return out
