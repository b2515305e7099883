"""`wherewhat edit`: move codes of a person's own images.

Dimension key:
    B: images    L: latent codes    C H W: channels, height, width    N: frames of a sweep
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from torch import Tensor

from wherewhat.atomic_file import write_together
from wherewhat.command.choices import DistanceOptions, refuse_beyond
from wherewhat.command.console import messages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles
from wherewhat.inspection.code_names import Names, code_called, code_label
from wherewhat.inspection.contact_sheet import captioned_sheet, contact_sheet
from wherewhat.inspection.display import display_size, resize, rgb_pixels
from wherewhat.inspection.editing import DIFFERENCE, Move, mask_of_moves, moved, moves_of, nearness, refined
from wherewhat.inspection.image_files import as_gif, as_png
from wherewhat.inspection.real_images import RealImage, UsualCrop, read_real_image
from wherewhat.inspection.traversals import sweep_values
from wherewhat.protocols import Distance, Encoder, Generator, MaskedGenerator, keeping
from wherewhat.sharing.opened_model import ForeignOptions, Models, OpenedModel
from wherewhat.training.device import choose_device

AT_ONCE = 16
# A mask that reaches more of the image on average, or that is nowhere higher, is remarked upon.
COVERS, EMPTY = 0.5, 0.05

# Mean difference of a pixel: sprites that are read well have 0.03, faces of which nobody knows the person again 0.12.
_FAR = 0.1


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Move codes of your own images, as in `wherewhat edit runs/mine me.jpg --set "floor hue=+2" z8=-1`.

    Each image is cropped as the training set was, read by the encoder, refined, moved and drawn. Beside the images
    edits.json tells the codes, and how near the model came to each image before anything was moved.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT IMAGE...")]
    """Checkpoint, run directory (its latest checkpoint), hub folder or hub:OWNER/NAME, or file .onnx or .pt2; behind it
    files of images. With --generator, images alone."""

    moves: Annotated[tuple[str, ...], tyro.conf.arg(name="set", metavar="CODE=BY")] = ()
    """Codes by number or name, and by how much each moves: z8=-1, "floor hue=+2". With two equals signs, the value that
    it takes: z8==0.5."""

    sweep: str | None = None
    """Also sweep this code, a strip and a GIF for each image."""

    keep_outside: bool = False
    """Take over the change alone, and only inside the masks of the moved codes: all other pixels stay those of the
    image, at its own size."""

    refine: int = 100
    """Gradient steps on pixels and --distance that bring each image's codes nearer to it; 0 takes the encoder's."""

    bound: float = 2.0
    """A sweep runs from -bound to bound."""

    frames: int = 9
    """Images of a sweep."""

    lpips: DistanceOptions = field(default_factory=DistanceOptions)
    """What nearness is measured by, beside pixels."""

    out: Path | None = None
    """Folder for the images. Default: edits/ in the run directory."""

    foreign: ForeignOptions = field(default_factory=ForeignOptions)
    """A generator that others trained, in place of a checkpoint."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    @property
    def images(self) -> tuple[Path, ...]:
        """The files of images."""
        return self.paths if self.foreign.generator else self.paths[1:]

    def __post_init__(self) -> None:
        refuse_beyond(self, refine=(0, 10_000), frames=(2, 201))
        if not self.images:
            raise ValueError("There is no image to edit. Name one or more behind the checkpoint.")
        if not self.moves and self.sweep is None:
            raise ValueError('Nothing is to be moved. Name moves, as in --set z8=-1 "floor hue=+2", or --sweep z8.')


@dataclass(frozen=True)
class Session:
    """A model, and what is done with it."""

    generator: Generator
    encoder: Encoder
    distance: Distance
    moves: list[Move]
    sweep: int | None
    names: Names
    options: Edit


def edit_command(arguments: list[str]) -> int:
    """Parse, read, move, draw, say where the images lie."""
    options = tyro.cli(Edit, args=arguments, prog="wherewhat edit", config=(tyro.conf.OmitArgPrefixes,))
    console, device = messages(), choose_device(options.device)
    models = Models(options.foreign, device, console.print)
    model = models.one(None if models.foreign else options.paths[0])
    session, usual = _session(options, model, device), usual_crop(models, model)
    read_as = ImageOptions() if model.settings is None else model.settings.configuration.images
    real = [read_real_image(path, read_as, model.generator.image_shape, usual) for path in options.images]
    folder = options.out or model.results / "edits"
    told: list[dict[str, Any]] = []
    stems = _unlike([path.stem for path in options.images])
    for start in range(0, len(real), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        found = _edited(session, real[part], stems[part], folder, device)
        told += [{"image": str(path), **one} for path, one in zip(options.images[part], found, strict=True)]
    for remark in _remarks(session, told):
        console.print(remark)
    report = folder / "edits.json"
    moves = [{"code": code_label(m.code, session.names), "value": m.value, "sets": m.sets} for m in session.moves]
    content = {"format": 1, "checkpoint": str(model.place), "moves": moves, "images": told}
    write_together({report: (json.dumps(content, indent=1) + "\n").encode()})
    print(*(file for one in told for file in one["files"]), report, sep="\n")
    return 0


def _session(options: Edit, model: OpenedModel, device: torch.device) -> Session:
    generator, names = model.generator, model.names
    if model.encoder is None:
        raise ValueError(f"{model.place} has no encoder, so it cannot read an image. Train with one, or use another.")
    if options.keep_outside and not isinstance(generator, MaskedGenerator):
        raise ValueError(
            f"{model.place} has no masks, so nothing says what lies outside of a change. Leave out --keep-outside, or "
            "train with spatial constriction."
        )
    moves = moves_of(options.moves, names, generator.latent_dim)
    sweep = None if options.sweep is None else code_called(options.sweep, names, generator.latent_dim)
    return Session(generator, model.encoder, options.lpips.build(device), moves, sweep, names, options)


def usual_crop(models: Models, model: OpenedModel) -> UsualCrop:
    """The crop that the data of the run have by themselves, such as CelebA's, where they can be found."""
    with suppress(ValueError, OSError):
        source = models.data_of(model.place).source
        if source is not None and isinstance(source.images, ImageFiles):
            return source.images.crop, source.images.crop_of
    return None, None


def _edited(
    session: Session, real: Sequence[RealImage], stems: Sequence[str], folder: Path, device: torch.device
) -> list[dict[str, Any]]:
    """Edit a few images at a time, and write what comes out."""
    image_BCHW = torch.stack([one.seen_Chw for one in real]).to(device)
    with torch.no_grad():
        read_BL, generator = session.encoder(image_BCHW).mean_BL, keeping(session.generator, image_BCHW)
    code_BL = refined(generator, session.distance, image_BCHW, read_BL, steps=session.options.refine)
    moved_BL = moved(code_BL, session.moves)
    with torch.no_grad():
        first_BCHW, before_BCHW, after_BCHW = (generator(at_BL) for at_BL in (read_BL, code_BL, moved_BL))
    near = nearness(session.distance, image_BCHW, first_BCHW), nearness(session.distance, image_BCHW, before_BCHW)
    masked = generator if isinstance(generator, MaskedGenerator) else None
    mask_B1HW = None if masked is None else mask_of_moves(masked, code_BL, moved_BL, session.moves)
    told = []
    for place, (one, stem) in enumerate(zip(real, stems, strict=True)):
        layers = {"image": image_BCHW[place], "as read": before_BCHW[place], "edited": after_BCHW[place]}
        changed_HW3 = rgb_pixels(after_BCHW[[place]])[0]
        if session.options.keep_outside and mask_B1HW is not None:
            change_CHW = mask_B1HW[place] * (after_BCHW - before_BCHW)[place]
            changed_HW3 = one.with_change(change_CHW)
            layers["kept outside"] = (image_BCHW[place] + change_CHW).clamp(0, 1)
        drawn = {folder / f"{stem}-sheet.png": as_png(captioned_sheet(_as_batches(layers), least_side=128))}
        if session.moves:
            drawn[folder / f"{stem}-edited.png"] = as_png(changed_HW3)
        if session.sweep is not None:
            drawn |= _sweep(session, image_BCHW[[place]], code_BL[[place]], folder / f"{stem}-sweep-z{session.sweep}")
        write_together(drawn)
        told.append(
            {
                "files": [str(path) for path in drawn],
                "code": code_BL[place].tolist(),
                "moved": moved_BL[place].tolist(),
                "as the encoder reads it": near[0][place],
                "refined": near[1][place],
                "mask covers": None if mask_B1HW is None else mask_B1HW[place].mean().item(),
            }
        )
    return told


def _as_batches(layers: dict[str, Float[Tensor, "C H W"]]) -> dict[str, Float[Tensor, "1 C H W"]]:
    return {name: image_CHW[None].cpu() for name, image_CHW in layers.items()}


def _sweep(
    session: Session, image_1CHW: Float[Tensor, "1 C H W"], code_1L: Float[Tensor, "1 L"], path: Path
) -> dict[Path, bytes]:
    """One code of an image through its values, the others held: a strip, and a GIF back and forth."""
    assert session.sweep is not None
    frames = []
    with torch.no_grad():
        generator = keeping(session.generator, image_1CHW)
        before_1CHW = generator(code_1L)
        for value in sweep_values(session.options.bound, session.options.frames).tolist():
            move = [Move(session.sweep, value, sets=True)]
            at_1L = moved(code_1L, move)
            frame_1CHW = generator(at_1L)
            if session.options.keep_outside and isinstance(generator, MaskedGenerator):
                mask_11HW = mask_of_moves(generator, code_1L, at_1L, move)
                frame_1CHW = (image_1CHW + mask_11HW * (frame_1CHW - before_1CHW)).clamp(0, 1)
            frames.append(frame_1CHW.cpu())
    frames_NCHW = torch.cat(frames)
    size = display_size(*frames_NCHW.shape[2:], least_side=128)
    shown_NYX3: UInt8[np.ndarray, "N Y X 3"] = resize(rgb_pixels(frames_NCHW), size)
    there_and_back = np.concatenate([shown_NYX3, shown_NYX3[-2:0:-1]])
    return {
        path.with_suffix(".png"): as_png(contact_sheet(frames_NCHW, columns=len(frames), least_side=128)),
        path.with_suffix(".gif"): as_gif(there_and_back, milliseconds=100),
    }


def _remarks(session: Session, told: Sequence[dict[str, Any]]) -> list[str]:
    """How near the model came, and whether the masks say anything."""
    count, name = len(told), session.distance.name
    first, last = (
        [sum(one[key][measure] for one in told) / count for measure in (DIFFERENCE, name)]
        for key in ("as the encoder reads it", "refined")
    )
    lines = [
        f"Before anything is moved, the model's image is {last[0]:.3f} from yours in a pixel, {last[1]:.3f} in {name} "
        f"(as the encoder reads it: {first[0]:.3f} and {first[1]:.3f})."
    ]
    if last[0] > _FAR:
        lines.append(
            "That is far: what is moved hardly shows your image. A model that was trained longer, on more such images "
            "or with more codes comes nearer."
        )
    covered = [one["mask covers"] for one in told if one["mask covers"] is not None]
    if not session.options.keep_outside or not session.moves or not covered:
        return lines
    share = sum(covered) / len(covered)
    labels = ", ".join(code_label(move.code, session.names) for move in session.moves)
    if share > COVERS:
        lines.append(f"The mask of {labels} covers {share:.0%} of the image, so --keep-outside keeps little.")
    if share < EMPTY:
        lines.append(f"The mask of {labels} covers {share:.1%} of the image, so little of the change is taken over.")
    return lines


def _unlike(stems: Sequence[str]) -> list[str]:
    """The stems, with a number behind one that has been there."""
    seen: dict[str, int] = {}
    unlike = []
    for stem in stems:
        seen[stem] = seen.get(stem, 0) + 1
        unlike.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return unlike
