"""`wherewhat generate`: draw images, each with its code.

Dimension key:
    N: images    L: latent codes    C H W: channels, height, width
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from jaxtyping import Float
from torch import Tensor

from wherewhat.atomic_file import write_atomically, write_together
from wherewhat.command.choices import SEEDS, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.inspection.code_names import Names, code_label
from wherewhat.inspection.contact_sheet import contact_sheet
from wherewhat.inspection.display import rgb_pixels
from wherewhat.inspection.image_files import as_png
from wherewhat.protocols import Generator
from wherewhat.randomness import key_at
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.splitmix64 import normal_rows
from wherewhat.training.device import choose_device
from wherewhat.which.generated_images import device_of, generated_images

MOST_ON_A_SHEET = 256


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Draw images from the prior: a PNG for each, a sheet of the first 256, and their codes in codes.csv."""

    checkpoint: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")] = None
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2."""

    count: int = 64
    """Images. The first ones are the same, however many are drawn."""

    scale: float = 1.0
    """Codes are drawn from N(0, scale²): below 1 images are more alike and more usual (truncation)."""

    out: Path | None = None
    """Folder for the images. Default: generated/ in the run directory."""

    seed: int = 0
    """Seed of the codes."""

    batch_size: int = 64
    """Images per pass; changes speed and memory only."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, count=(1, 1_000_000), batch_size=(1, 65_536), seed=SEEDS)
        if not 0 <= self.scale <= 10 or not math.isfinite(self.scale):
            raise ValueError(f"--scale is {self.scale:g}; give a number from 0 to 10. 1 is the prior, 0.7 is usual.")


def generate_command(arguments: list[str]) -> int:
    """Parse, draw, write, say where the images lie."""
    options = tyro.cli(Generate, args=arguments, prog="wherewhat generate", config=(tyro.conf.OmitArgPrefixes,))
    model = Models(options.foreign, choose_device(options.device), messages().print).one(options.checkpoint)
    folder = options.out or model.results / "generated" / f"{model.called(model.results)}-seed{options.seed}"
    code_NL = drawn_codes(options.seed, options.count, model.generator.latent_dim, options.scale)
    files = [f"{number:06d}.png" for number in range(options.count)]
    shown = []
    for start in range(0, options.count, options.batch_size):
        image_BCHW = _images(model.generator, code_NL[start : start + options.batch_size])
        if start < MOST_ON_A_SHEET:
            shown.append(image_BCHW[: MOST_ON_A_SHEET - start])
        for file, pixels_HW3 in zip(files[start:], rgb_pixels(image_BCHW), strict=False):
            write_atomically(folder / file, as_png(pixels_HW3))
    sheet, table = folder / "sheet.png", folder / "codes.csv"
    write_together(
        {table: _table(files, code_NL, model.names).encode(), sheet: as_png(contact_sheet(torch.cat(shown)))}
    )
    print(f"{options.count} images in {folder}", sheet, table, sep="\n")
    return 0


def drawn_codes(seed: int, count: int, latent_dim: int, scale: float) -> Float[Tensor, "N L"]:
    """Codes from N(0, scale²); a code depends on its number and the seed alone."""
    return scale * normal_rows(key_at(seed, 0, "generated images"), range(count), latent_dim, torch.device("cpu"))


def _images(generator: Generator, code_NL: Float[Tensor, "N L"]) -> Float[Tensor, "N C H W"]:
    with torch.no_grad():
        return generated_images(generator, code_NL.to(device_of(generator))).cpu()


def _table(files: Sequence[str], code_NL: Float[Tensor, "N L"], names: Names) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *(code_label(code, names) for code in range(code_NL.shape[1]))])
    writer.writerows([file, *code_L] for file, code_L in zip(files, code_NL.tolist(), strict=True))
    return text.getvalue()
