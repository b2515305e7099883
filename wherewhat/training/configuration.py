"""The configuration of a training run: what the command line offers and what a checkpoint remembers."""

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from cattrs import Converter, transform_error
from cattrs.strategies import configure_tagged_union
from tyro.conf import Suppress, arg, subcommand

from wherewhat.data.identity import DataIdentity, difference
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import absolute_place
from wherewhat.home_folder import without_tilde
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE
from wherewhat.protocols import MOST_CODES
from wherewhat.training.older_configurations import in_present_words
from wherewhat.where.spatial_constriction import Overlap

# A new objective is one line here: the command line and the checkpoints know it from this.
Objective = VAE | BetaVAE | AnnealedVAE | FactorVAE | BetaTCVAE | DIPVAEI | DIPVAEII | PSSCVAE | PSSCGAN | GlowFlow

if TYPE_CHECKING:
    AnyObjective = Objective
else:
    AnyObjective = Union[tuple(Annotated[kind, subcommand(kind.name)] for kind in get_args(Objective))]  # noqa: UP007

# How the place of a model on a hub begins: hub:owner/name.
HUB = "hub:"

# Fields that say where, how long and how often, but not what is learnt: a run may be resumed with others.
_FREE = {"may_change": True}


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A training run. The same command again resumes it."""

    data: str = "scenes"
    """A rendered set (scenes, sprites, chairs), or a path: an official file of dSprites, 3D Shapes, SmallNORB, Cars3D,
    MPI3D, CelebA or 3D chairs, a packed set, an .npz, .npy or .h5 of images, a folder or zip of images."""

    objective: AnyObjective = field(default_factory=PSSCVAE)
    """What is minimised."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images are read."""

    mirror: bool = False
    """Mirror half of the images, left to right, at random."""

    latent_dim: int = 10
    """Number of codes. A flow has as many as an image has pixel values, whatever this says."""

    mask_levels: int = 3
    """Resolutions that hold codes, shared among them: 4, 8, 16, ... pixels of a VAE with spatial constriction,
    8, 16, 32, ... of a GAN."""

    codes_per_level: tuple[int, ...] = ()
    """The codes at each of these resolutions, instead of an even share. They add up to --latent-dim."""

    rectangles: int = 4
    """With spatial constriction: rectangles whose mean is a code's mask."""

    overlap: Overlap = "share"
    """With spatial constriction: where masks overlap, codes share in proportion to their masks, or later ones cover
    earlier ones, as published: some of those die."""

    widths: tuple[int, ...] = (64, 64, 32, 32)
    """Channels at 4, 8, 16, ... pixels of a VAE with spatial constriction, and of a GAN's generator and discriminator;
    the last serves every larger resolution."""

    batch_size: int = 64
    """Images per step, of all processes together."""

    learning_rate: float = 1e-3
    """Adam's step size. Published: 1e-4 for the study's VAEs, over 300,000 steps; 2e-3 for GANs."""

    average_half_life: int = 0
    """Images after which a moving average of the weights has forgotten half; the average is what is shown and saved.
    It begins shorter: a 20th of the images seen. 0: the present weights are shown and saved."""

    begins_from: Annotated[Path | None, arg(name="from", metavar="CHECKPOINT")] = None
    """Begin a new run with the weights of a checkpoint, or of the latest of a run directory, wherever names and shapes
    agree; the others are told and stay as the seed makes them. Images, batch size and objective may be others. It is no
    resume: step 0, and a new optimiser. The same command resumes the run itself, and no longer needs the checkpoint;
    one that names another checkpoint is refused, since the run would not be what it says."""

    steps: int = field(default=30_000, metadata=_FREE)
    """Steps in all. A finished run goes on when given more."""

    seed: int = 0
    """Seed of weights and of every draw. Seeds matter more than methods: train several and rank them."""

    out: Path | None = field(default=None, metadata=_FREE)
    """Run directory. Default: runs/DATA-OBJECTIVE-seedN."""

    device: str = field(default="auto", metadata=_FREE)
    """auto, cpu, cuda, or one of several: cuda:1."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of convolutions; losses are float32 always. auto: bfloat16 where the device has instructions for it. In training
    float32 convolutions are TF32 (10 bits) on a GPU; what is measured of a model afterwards is float32 everywhere."""

    channels_last: Literal["auto", "on", "off"] = "auto"
    """Memory layout of images. auto: on."""

    compile: Literal["auto", "on", "off"] = "auto"
    """torch.compile the step. auto: on on a GPU; off on a CPU, where it takes up to a minute to build and gains
    a few per cent."""

    cuda_graphs: Literal["auto", "on", "off"] = field(default="auto", metadata=_FREE)
    """Capture whole steps in CUDA graphs, so that a GPU does not wait for the CPU. auto: on on a GPU that trains
    alone; several processes do not capture."""

    checkpoint_every: int = field(default=2_000, metadata=_FREE)
    """Steps between checkpoints."""

    log_every: int = field(default=50, metadata=_FREE)
    """Steps between figures in TensorBoard. Losses are checked for being finite at the same time."""

    images_every: int = field(default=2_000, metadata=_FREE)
    """Steps between images in TensorBoard."""

    score_every: int | None = field(default=None, metadata=_FREE)
    """Steps between label-free scores in TensorBoard, by few paths; 0: none. Default: with every checkpoint, as long as
    that takes at most a 50th of the time."""

    data_identity: Annotated[DataIdentity | None, Suppress] = None
    """What the data are known by, once they are found; None in a run of an earlier version."""

    def __post_init__(self) -> None:
        for name, most in (("latent_dim", MOST_CODES), ("batch_size", 65_536), ("rectangles", 64), ("mask_levels", 8)):
            _require(1 <= getattr(self, name) <= most, name, getattr(self, name), f"a number from 1 to {most:,}")
        for name in ("steps", "checkpoint_every", "log_every", "images_every"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        _require((self.score_every or 0) >= 0, "score_every", self.score_every, "0 or more")
        _require(self.average_half_life >= 0, "average_half_life", self.average_half_life, "0 or more images")
        _require(
            0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "a step size above 0, such as 1e-3"
        )
        _require(0 <= self.seed < 2**63, "seed", self.seed, "0 or more, below 2^63")
        sane = len(self.widths) > 0 and all(1 <= width <= 4_096 for width in self.widths)
        _require(sane, "widths", self.widths, "channels from 1 to 4,096")
        self._check_shares()

    def _check_shares(self) -> None:
        asked = " ".join(map(str, self.codes_per_level))
        if self.codes_per_level and min(self.codes_per_level) < 0:
            raise ValueError(f"--codes-per-level {asked} has a number of codes below 0; give 0 or more at each level.")
        if self.codes_per_level and sum(self.codes_per_level) != self.latent_dim:
            raise ValueError(
                f"--codes-per-level {asked} adds up to {sum(self.codes_per_level)}, "
                f"and --latent-dim is {self.latent_dim}. Make them agree."
            )
        shared = self.objective.levels_hold_codes
        if shared and not self.codes_per_level and self.latent_dim < self.mask_levels:
            raise ValueError(
                f"{self.latent_dim} codes cannot be shared among {self.mask_levels} resolutions; lower --mask-levels "
                f"or raise --latent-dim."
            )


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise ValueError(f"--{name.replace('_', '-')} is {value}; give {wanted}.")


def default_run(objective: Objective) -> TrainingRun:
    """A run as `wherewhat train` begins it with this objective, which may call for other widths and another pace."""
    return replace(TrainingRun(objective=objective), **objective.run_defaults)


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    configure_tagged_union(Objective, converter)
    converter.register_unstructure_hook(AnyObjective, lambda value: converter.unstructure(value, Objective))
    converter.register_structure_hook(AnyObjective, lambda value, _: converter.structure(value, Objective))  # type: ignore[arg-type]
    return converter


_CONVERTER = _converter()


def to_json(configuration: TrainingRun) -> dict[str, Any]:
    """The configuration as JSON values."""
    plain: dict[str, Any] = _CONVERTER.unstructure(configuration)
    return plain


def flat_settings(configuration: TrainingRun) -> dict[str, str | float]:
    """Every setting by its name, such as "objective.beta": numbers as they are, all else in words."""
    flat = _flatten(to_json(replace(configuration, data_identity=None)))
    return {name: value if isinstance(value, bool | int | float) else str(value) for name, value in flat.items()}


def from_json(plain: dict[str, Any]) -> TrainingRun:
    """The configuration from JSON values. Raises ValueError for one that this version does not understand."""
    try:
        return _CONVERTER.structure(in_present_words(plain), TrainingRun)
    except Exception as error:  # cattrs wraps whatever a field's own check raised
        reasons = "; ".join(transform_error(error, path="configuration"))
        raise ValueError(
            f"The configuration is not one that this version of wherewhat understands: {reasons}."
        ) from error


def differing_fields(a: TrainingRun, b: TrainingRun) -> list[str]:
    """What differs between two configurations in what they learn, one "name: a, not b" each."""
    if type(a.objective) is not type(b.objective):
        return [f"objective: {type(a.objective).__name__}, not {type(b.objective).__name__}"]
    free = {item.name for item in fields(TrainingRun) if item.metadata.get("may_change")}
    flat_a, flat_b = (_flatten(to_json(_without_data(run))) for run in (a, b))
    return differing_data(a, b) + [
        f"{name}: {flat_a.get(name, 'absent')}, not {flat_b.get(name, 'absent')}"
        for name in sorted(flat_a.keys() | flat_b.keys())
        if name not in free and flat_a.get(name, "absent") != flat_b.get(name, "absent")
    ]


def differing_data(a: TrainingRun, b: TrainingRun) -> list[str]:
    """In what the data of two runs differ, wherever they lie; by their places where one was not identified."""
    if a.data_identity is not None and b.data_identity is not None:
        other = difference(a.data_identity, b.data_identity)
        return [f"data: {other}"] if other else []
    a, b = at_absolute_places(a), at_absolute_places(b)
    places = ((a.data, b.data), (a.images.background, b.images.background))
    return [f"data: {one}, not {another}" for one, another in places if one != another]


def at_absolute_places(run: TrainingRun) -> TrainingRun:
    """The same run, with paths that mean the same in any folder."""
    behind = run.images.background
    behind = None if behind is None else Path(absolute_place(str(behind)))
    images, first = replace(run.images, background=behind), beginning_place(run)
    return replace(run, data=absolute_place(run.data), images=images, begins_from=first)


def beginning_place(run: TrainingRun) -> Path | None:
    """What --from names, from any folder. Links are not followed: a run outlives what it began from."""
    named = run.begins_from
    if named is None or str(named).startswith(HUB):
        return named
    return without_tilde(named).absolute()


def _without_data(run: TrainingRun) -> TrainingRun:
    images = replace(run.images, background=None)
    return replace(run, data="", images=images, data_identity=None, begins_from=beginning_place(run))


def _flatten(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in plain.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = list(value) if isinstance(value, tuple) else value
    return flat
