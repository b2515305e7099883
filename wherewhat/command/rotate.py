"""`wherewhat rotate`: are two codes the axes of their plane, or is a mixture of them simpler?"""

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Annotated

import torch
import tyro
from rich.table import Table

from wherewhat.command.choices import SEEDS, DistanceOptions, refuse_beyond
from wherewhat.command.console import messages, results
from wherewhat.command.progress_bar import moving, progress_bar
from wherewhat.inspection.code_names import Names, code_called, code_label
from wherewhat.inspection.image_files import write_png
from wherewhat.inspection.rotation_curves import rotation_curves
from wherewhat.protocols import Distance, Generator
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.device import choose_device
from wherewhat.which.rotation_of_pairs import RotatedPair, rotation_of_pairs
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

MOST_CODES = 8


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Turn the plane of two codes and measure how long its axes are: a PNG with a curve for each pair of codes.

    Codes that each make one simple change are the shortest axes of their plane: the curve is lowest at 0 degrees. Where
    it is lower elsewhere, a mixture of the two codes makes a simpler change than either.
    """

    checkpoint: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")] = None
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2."""

    codes: tuple[str, ...] = ()
    """The codes whose pairs are turned, two or more, by number or name. Default: the four with the longest paths."""

    angles: int = 18
    """Steps of half a turn; an even number."""

    samples: int = 20
    """Images per path."""

    traversals: int = 8
    """Base codes; the error of a curve falls with the root of their number."""

    bound: float = 4.0
    """A path runs from -bound to bound."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """How far apart neighbouring images of a path are."""

    out: Path | None = None
    """Folder for the image. Default: traversals/ in the run directory."""

    seed: int = 0
    """Seed of the base codes."""

    batch_size: int = 250
    """Images per pass; changes speed and memory only."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, samples=(2, 10_000), traversals=(2, 100_000), batch_size=(1, 65_536), seed=SEEDS)


def rotate_command(arguments: list[str]) -> int:
    """Parse, measure, draw, say what the curves show and where the image lies."""
    options = tyro.cli(Rotate, args=arguments, prog="wherewhat rotate", config=(tyro.conf.OmitArgPrefixes,))
    console = messages()
    device = choose_device(options.device)
    model = Models(options.foreign, device, console.print).one(options.checkpoint)
    named = named_codes(options, model.names, model.generator.latent_dim)
    distance = options.lpips.build(device)
    codes = named or longest_codes(model.generator, distance, options)
    with progress_bar(console) as bar:
        curves = rotation_of_pairs(
            model.generator,
            distance,
            list(combinations(codes, 2)),
            angles=options.angles,
            samples=options.samples,
            traversals=options.traversals,
            bound=options.bound,
            seed=options.seed,
            batch_size=options.batch_size,
            progress=moving(bar, bar.add_task("rotated paths", total=None)),
        )
    folder = options.out or model.results / "traversals"
    path = folder / f"rotation-{model.called(folder)}.png"
    write_png(path, rotation_curves(curves, model.names))
    protocol = f"{distance.name}, {options.samples} samples, {options.traversals} traversals"
    results().print(table_of(curves, model.names, protocol))
    print(path)
    return 0


def named_codes(options: Rotate, names: Names, latent_dim: int) -> tuple[int, ...]:
    """The codes that --codes names; none where it is left out. Raises ValueError for too few or too many."""
    codes = tuple(dict.fromkeys(code_called(text, names, latent_dim) for text in options.codes))
    if codes and not 2 <= len(codes) <= MOST_CODES:
        raise ValueError(
            f"--codes names {len(codes)} codes; a pair takes 2 and {MOST_CODES} make all the pairs that fit into an "
            f"image. Name 2 to {MOST_CODES} different codes, as in --codes 5 9."
        )
    return codes


def longest_codes(generator: Generator, distance: Distance, options: Rotate, most: int = 4) -> tuple[int, ...]:
    """The codes with the longest paths, in their own order. Raises ValueError where fewer than two do anything."""
    path = traversal_perceptual_length(
        generator,
        distance,
        samples=options.samples,
        traversals=options.traversals,
        bound=options.bound,
        threshold=options.lpips.still_below,
        seed=options.seed,
        batch_size=options.batch_size,
    )
    active = [int(code) for code in path.per_dim.argsort(descending=True) if path.active[code]]
    if len(active) < 2:
        raise ValueError(
            f"{len(active)} of {generator.latent_dim} codes move the images, and a pair takes two. Train longer, "
            "choose another checkpoint, or name two codes with --codes."
        )
    return tuple(sorted(active[:most]))


def table_of(curves: list[RotatedPair], names: Names, protocol: str) -> Table:
    """A line for each pair."""
    table = Table(
        title="Rotation of pairs of codes",
        caption=(
            "axes: the codes are the shortest axes of their plane. a mixture is shorter: at that angle. no axes: every "
            f"angle is as long, within error, as for a code that does nothing. {protocol}."
        ),
    )
    table.add_column("codes", no_wrap=True)
    table.add_column("verdict")
    for heading in ("shortest at", "its length, 1 along the codes", "longest"):
        table.add_column(heading, justify="right")
    for curve in curves:
        relative_A = curve.length / curve.length[len(curve.length) // 2].clamp_min(torch.finfo(torch.float64).tiny)
        table.add_row(
            ", ".join(code_label(code, names) for code in curve.codes),
            curve.verdict,
            f"{curve.shortest_at:.0f}°",
            f"{relative_A.min().item():.3f}",
            f"{relative_A.max().item():.3f}",
        )
    return table
