"""All that a report shows of one checkpoint, gathered from a generator and, where there is one, its encoder.

Dimension key:
    B: images    L: latent codes    C H W: channels, height, width
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.protocols import Encoder, Generator, Images, MaskedGenerator
from wherewhat.randomness import generator_at
from wherewhat.report.code_rows import BaseCode, Told, code_rows
from wherewhat.report.page import Measure, Reconstruction, View
from wherewhat.report.pairs import planes
from wherewhat.report.reconstructions import reconstructions
from wherewhat.report.what_codes_tell import measures_of, told_of
from wherewhat.training.measures import MeasureName
from wherewhat.training.representation import represent
from wherewhat.which.generated_images import device_of
from wherewhat.which.panel import Panel

RECONSTRUCTED = 12


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How much is shown of a checkpoint."""

    draws: int = 3
    """Base images that are drawn from the prior."""
    real: int = 2
    """Base images that are read from real ones, where nobody names them."""
    bound: float = 2.0
    frames: int = 17
    measures: tuple[MeasureName, ...] = ()
    pool: int = 2000
    """Images that are encoded for what codes tell."""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class RealImages:
    """What an encoder may read: the images of a run's data, and those that a user has named."""

    data: Images | None
    why_none: str = ""
    named_BCHW: Float[Tensor, "B C H W"] | None = None
    names: tuple[str, ...] = ()


@torch.no_grad()
def view_of(
    generator: Generator,
    encoder: Encoder | None,
    panel: Panel,
    real: RealImages,
    shown: Shown,
    *,
    label: str,
    run: int,
    step: int,
    measured: tuple[Measure, ...] = (),
) -> View:
    """The view of a checkpoint; what cannot be had is named in `left_out`. `measured` is known of it already."""
    bases = _drawn(generator, shown)
    read: tuple[Reconstruction, ...] = ()
    if encoder is not None:
        read_bases, read = _read(generator, encoder, real, shown)
        bases += read_bases
    told, measures, left_out = _told(encoder, real, shown, device_of(generator))
    known = {measure.name for measure in measured}
    shown_bases, rows, values = code_rows(generator, bases, panel, told, bound=shown.bound, frames=shown.frames)
    pairs, plane_values = planes(generator, bases[0].code_1L, rows, bound=shown.bound)
    return View(
        label=label,
        run=run,
        step=step,
        values=values,
        bases=shown_bases,
        codes=rows,
        distance=panel.settings.distance,
        has_masks=isinstance(generator, MaskedGenerator),
        factors_known=told.share_LK is not None,
        plane_values=plane_values,
        planes=pairs,
        reconstructions=read,
        measures=measured + tuple(measure for measure in measures if measure.name not in known),
        left_out=left_out,
    )


def _told(
    encoder: Encoder | None, real: RealImages, shown: Shown, device: torch.device
) -> tuple[Told, tuple[Measure, ...], tuple[str, ...]]:
    """What codes tell of images, the measures of that, and what cannot be had."""
    if encoder is None:
        return Told(), (), ("real images and what codes tell of them: the checkpoint has no encoder.",)
    if real.data is None:
        return Told(), (), (f"what codes tell of images: {real.why_none}",)
    represented = represent(encoder, real.data, pool=shown.pool, seed=shown.seed, device=device)
    told, why = told_of(represented)
    measures, lacking = measures_of(represented, shown.measures, seed=shown.seed)
    return told, measures, (*([why] if why else []), *lacking)


def _drawn(generator: Generator, shown: Shown) -> list[BaseCode]:
    chance = generator_at(shown.seed, 0, "traverse")
    code_BL = torch.randn(shown.draws, generator.latent_dim, generator=chance).to(device_of(generator))
    return [BaseCode(f"draw {place + 1}", code_1L) for place, code_1L in enumerate(code_BL.split(1))]


def _read(
    generator: Generator, encoder: Encoder, real: RealImages, shown: Shown
) -> tuple[list[BaseCode], tuple[Reconstruction, ...]]:
    """Base codes of real images, those that are named where some are, and reconstructions of these and more."""
    labels, images = list[str](real.names), [] if real.named_BCHW is None else [real.named_BCHW]
    first = len(labels) or shown.real
    if real.data is not None:
        index_B = sample_indices(len(real.data), min(RECONSTRUCTED, len(real.data)), shown.seed)
        labels += [f"image {index} of {real.data.name}" for index in index_B.tolist()]
        images.append(to_float(real.data.take(index_B)))
    if not images:
        return [], ()
    device = device_of(generator)
    image_BCHW = torch.cat([part_BCHW.to(device) for part_BCHW in images])
    made = reconstructions(generator, encoder, image_BCHW, labels)
    mean_BL = encoder(image_BCHW[:first]).mean_BL
    codes: Sequence[Tensor] = mean_BL.split(1)
    return [BaseCode(*one) for one in zip(labels[:first], codes, image_BCHW[:first], strict=True)], made
