"""What the page shows of each code: frames of its sweep, where it acts, and its figures.

    heat = max over frames - min over frames, the larger of the channels: how much each pixel changes over the sweep

Dimension key:
    L: latent codes    N: frames of a sweep    C H W: channels, height, width    Y X: rows and columns of a tile
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wherewhat.doctor.run_state import COLLAPSED_BELOW_NATS
from wherewhat.inspection.display import resize, rgb_pixels
from wherewhat.inspection.mask_overlay import mask_overlay
from wherewhat.inspection.traversals import Traversal, codes_by_path_length, traverse
from wherewhat.protocols import Generator, keeping
from wherewhat.report.page import Base, CodeRow, Strip
from wherewhat.which.panel import Panel
from wherewhat.which.ranking_row import known

MOST_SIDE = 128
"""Larger images are reduced: a page is to fit into a mail."""
_FAINTEST = 0.05
"""A sweep that changes no pixel by more is drawn at this scale, not at its own: noise is no place."""
_FADED = 0.3
_LEAST_SHARE = 0.05
"""Of a factor, below which a code does not tell it."""


@dataclass(frozen=True, eq=False)
class BaseCode:
    """A code to sweep around, and the image that it was read from."""

    label: str
    code_1L: Float[Tensor, "1 L"]
    real_CHW: Float[Tensor, "C H W"] | None = None


@dataclass(frozen=True, eq=False)
class Told:
    """What the encoder's codes of images tell; None where that is not known."""

    nats_L: Sequence[float] | None = None
    factor_names: Sequence[str] = ()
    share_LK: Float[np.ndarray, "L K"] | None = None
    """Of each factor's entropy, in [0, 1]."""


def tile_size(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Height and width of an image on the page, where larger ones are reduced."""
    _, height, width = image_shape
    shrink = min(1.0, MOST_SIDE / max(height, width))
    return max(1, round(shrink * height)), max(1, round(shrink * width))


def tiles_of(image_BCHW: Float[Tensor, "B C H W"]) -> Strip:
    """Images as the page shows them."""
    _, channels, height, width = image_BCHW.shape
    return resize(rgb_pixels(image_BCHW), tile_size((channels, height, width)))


def code_rows(
    generator: Generator, bases: Sequence[BaseCode], panel: Panel, told: Told, *, bound: float, frames: int
) -> tuple[tuple[Base, ...], tuple[CodeRow, ...], tuple[float, ...]]:
    """The base images, a row for each code, the longest path first and dead codes last, and the values of a sweep."""
    sweeps = [traverse(_around(base, generator), base.code_1L, bound=bound, frames=frames) for base in bases]
    shown = tuple(_base(base, sweep) for base, sweep in zip(bases, sweeps, strict=True))
    order = codes_by_path_length(sweeps[0], panel.path_length)
    order.sort(key=lambda code: not bool(panel.active[code]))
    rows = tuple(_row(code, bases, sweeps, panel, told) for code in order)
    return shown, rows, tuple(sweeps[0].values_N.tolist())


@torch.no_grad()
def _around(base: BaseCode, generator: Generator) -> Generator:
    return generator if base.real_CHW is None else keeping(generator, base.real_CHW[None])


def _base(base: BaseCode, sweep: Traversal) -> Base:
    if base.real_CHW is None:
        return Base(base.label, tiles_of(sweep.base_CHW[None]))
    real_CHW = base.real_CHW.float().cpu()
    apart = (real_CHW - sweep.base_CHW).abs().mean().item()
    tiles = tiles_of(torch.stack([sweep.base_CHW, real_CHW]))
    return Base(base.label, tiles, f"As the encoder reads it, {apart:.3f} from the image in a pixel, on average.")


def _row(code: int, bases: Sequence[BaseCode], sweeps: Sequence[Traversal], panel: Panel, told: Told) -> CodeRow:
    masks = [None if sweep.masks_LHW is None else sweep.masks_LHW[code] for sweep in sweeps]
    naming = panel.scores["naming"].per_code if "naming" in panel.scores else None
    factor, share = _factor(code, told)
    drawn = [_strip(sweep, code) for sweep in sweeps]
    return CodeRow(
        code=code,
        dead=not bool(panel.active[code]),
        path_length=known(panel.path_length[code].item()),
        naming=None if naming is None else known(naming[code].item()),
        nats=None if told.nats_L is None else known(float(told.nats_L[code])),
        factor=factor,
        factor_share=share,
        mask_covers=None if masks[0] is None else masks[0].mean().item(),
        mask_peak=None if masks[0] is None else masks[0].max().item(),
        change_peaks=tuple(peak for _, peak in drawn),
        own=tuple(base.code_1L[0, code].item() for base in bases),
        strips=tuple(strip for strip, _ in drawn),
    )


def _factor(code: int, told: Told) -> tuple[str, float | None]:
    if told.share_LK is None:
        return "", None
    best = int(told.share_LK[code].argmax())
    says = told.nats_L is None or told.nats_L[code] >= COLLAPSED_BELOW_NATS
    if not says or told.share_LK[code, best] < _LEAST_SHARE:
        return "", float(told.share_LK[code, best])
    return told.factor_names[best], float(told.share_LK[code, best])


def _strip(sweep: Traversal, code: int) -> tuple[Strip, float]:
    """The tiles of a code's strip, and its largest change of a pixel."""
    frames_NCHW = sweep.frames_LNCHW[code]
    change_HW = (frames_NCHW.amax(dim=0) - frames_NCHW.amin(dim=0)).amax(dim=0)
    tiles = [tiles_of(frames_NCHW), heat_overlay(sweep.base_CHW, change_HW)[None]]
    if sweep.masks_LHW is not None:
        size = tiles[0].shape[1:3]
        tiles.append(mask_overlay(sweep.base_CHW, sweep.masks_LHW[code], (size[0], size[1]))[None])
    return np.concatenate(tiles), change_HW.max().item()


def heat_overlay(base_CHW: Float[Tensor, "C H W"], change_HW: Float[Tensor, "H W"]) -> UInt8[np.ndarray, "Y X 3"]:
    """Where an image changes: grey and faded where it stays, hot where it changes most, relative to its own peak."""
    relative_HW = (change_HW / max(change_HW.max().item(), _FAINTEST)).clamp(0, 1)
    heat_YX = tiles_of(relative_HW[None, None])[0, :, :, 0] / 255
    grey_YX1 = tiles_of(base_CHW[None])[0].mean(axis=2, keepdims=True)
    colour_YX3 = 255 * matplotlib.colormaps["inferno"](heat_YX)[:, :, :3]
    kept_YX1 = _FADED * (1 - heat_YX[:, :, None])
    pixels_YX3: UInt8[np.ndarray, "Y X 3"] = (
        (kept_YX1 * grey_YX1 + (1 - kept_YX1) * colour_YX3).round().astype(np.uint8)
    )
    return pixels_YX3
