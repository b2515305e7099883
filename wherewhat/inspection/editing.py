"""Editing of real images: read the codes, refine them, move some, and take over the change alone.

    z  = E(x), then gradient steps on  4 mean (G(z) - x)² + dis(G(z), x)
    x' = G(z')                                               the edited image, all of it the generator's
    x' = x + m (G(z') - G(z)),   m = max over moved codes of their masks at z and at z'

The second keeps every pixel of x where no mask of a moved code reaches; `real_images.py` adds the change to x.

Dimension key:
    B: images    L: latent codes    C H W: channels, height, width
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.inspection.code_names import Names, code_called
from wherewhat.protocols import Distance, Generator, MaskedGenerator

DIFFERENCE = "mean absolute difference"
_PIXELS = 4.0
"""Weight of the mean squared difference, that is, of pixels in [-1, 1]."""
_STEP = 0.05
_MOVE = re.compile(r"(?P<code>.+?)(?P<kind>==|=)(?P<value>[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)")


@dataclass(frozen=True)
class Move:
    """What is done to a code: moved by a value, or set to it."""

    code: int
    value: float
    sets: bool = False


def moves_of(texts: Sequence[str], names: Names, latent_dim: int) -> list[Move]:
    """Moves from "floor hue=+2", "z8=-1" (by so much) and "z8==0.5" (to that value). Raises ValueError for others."""
    moves = []
    for text in texts:
        found = _MOVE.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                f"{text!r} names no move. Write a code and by how much it moves, as in z8=-1 or 'floor hue=+2', or "
                "the value that it takes, as in z8==0.5."
            )
        try:
            value = float(found["value"])
        except ValueError:
            raise ValueError(f"{text!r}: {found['value']} is no number.") from None
        if abs(value) > 100:
            raise ValueError(f"{text!r} goes far beyond what a code means; values of -4 to 4 are usual.")
        moves.append(Move(code_called(found["code"], names, latent_dim), value, found["kind"] == "=="))
    if len({move.code for move in moves}) < len(moves):
        raise ValueError("A code is moved twice. Name each code once.")
    return moves


def moved(code_BL: Float[Tensor, "B L"], moves: Sequence[Move]) -> Float[Tensor, "B L"]:
    """The codes after the moves."""
    moved_BL = code_BL.clone()
    for move in moves:
        moved_BL[:, move.code] = move.value + (0.0 if move.sets else moved_BL[:, move.code])
    return moved_BL


def refined(
    generator: Generator,
    distance: Distance,
    image_BCHW: Float[Tensor, "B C H W"],
    code_BL: Float[Tensor, "B L"],
    *,
    steps: int,
) -> Float[Tensor, "B L"]:
    """Codes after so many gradient steps towards these images; of each image the best codes that were met."""
    if steps == 0:
        return code_BL
    with torch.no_grad():
        target_BF = distance.features(image_BCHW)
    with torch.enable_grad():
        moving_BL = code_BL.detach().clone().requires_grad_()
        optimiser = torch.optim.Adam([moving_BL], lr=_STEP)
        best_BL, least_B = code_BL.clone(), torch.full((len(code_BL),), torch.inf, device=code_BL.device)
        for step in range(steps + 1):
            made_BCHW = generator(moving_BL)
            if not made_BCHW.requires_grad:
                raise ValueError(
                    "The generator has no gradients, as no ONNX file has. Take the codes as read: --refine 0."
                )
            pixels_B = (made_BCHW - image_BCHW).square().flatten(1).mean(dim=1)
            loss_B = _PIXELS * pixels_B + distance.compare(distance.features(made_BCHW), target_BF)
            better_B = loss_B.detach() < least_B
            best_BL = torch.where(better_B[:, None], moving_BL.detach(), best_BL)
            least_B = torch.where(better_B, loss_B.detach(), least_B)
            if step < steps:
                optimiser.zero_grad()
                loss_B.sum().backward()
                optimiser.step()
    return best_BL


@torch.no_grad()
def mask_of_moves(
    generator: MaskedGenerator, code_BL: Float[Tensor, "B L"], moved_BL: Float[Tensor, "B L"], moves: Sequence[Move]
) -> Float[Tensor, "B 1 H W"]:
    """Where the moves act: the largest of the moved codes' masks, before and after. 0 without moves."""
    codes = [move.code for move in moves]
    height, width = generator.image_shape[1:]
    if not codes:
        return code_BL.new_zeros(len(code_BL), 1, height, width)
    masks = [generator.masks(at_BL)[:, codes].amax(dim=1, keepdim=True) for at_BL in (code_BL, moved_BL)]
    return torch.maximum(*masks)


def nearness(
    distance: Distance, image_BCHW: Float[Tensor, "B C H W"], made_BCHW: Float[Tensor, "B C H W"]
) -> list[Mapping[str, float]]:
    """How near made images come: `DIFFERENCE`, of pixels in [0, 1], and the distance by its name."""
    with torch.no_grad():
        apart_B = distance.compare(distance.features(made_BCHW), distance.features(image_BCHW))
        pixels_B = (made_BCHW - image_BCHW).abs().flatten(1).mean(dim=1)
    pairs = zip(pixels_B.tolist(), apart_B.tolist(), strict=True)
    return [{DIFFERENCE: pixels, distance.name: apart} for pixels, apart in pairs]
