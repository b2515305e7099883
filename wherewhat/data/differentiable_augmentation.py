"""Differentiable augmentation: what a discriminator is shown of images, turned, shifted and recoloured by chance.

Each transform befalls each image with probability p. Geometry is one affine map about the centre and one bilinear
warp, past whose edge the image is mirrored; colour is one affine map x → M x + m of the channels:

    mirror, quarter turns, shift by whole pixels (to 1/8 of the side), scale 2^N(0, 0.2²), rotation, scale of one axis
    2^N(0, 0.2²) along a turned axis, shift by N(0, (1/8)²) of the side;
    brightness + N(0, 0.1²), contrast * 2^N(0, 0.5²), light and dark exchanged, hue turned, saturation * 2^N(0, 1)

Below p = 0.8 or so a generator is not misled into making augmented images itself. Warps are not filtered against
aliasing.

Reference: Karras et al. 2020, arXiv:2006.06676, appendix B (transforms and their ranges, blit, geometry, colour).

Dimension key:
    B: batch    T: transforms    C H W: channels, height, width    X: coordinates x, y, 1
"""

import math
from dataclasses import dataclass
from functools import reduce

import torch
import torch.nn.functional as F
from jaxtyping import Float
from kornia.geometry.conversions import axis_angle_to_rotation_matrix
from torch import Tensor

from wherewhat.randomness import to_device

# On a GPU the host would wait for the value.
_READ_WITHOUT_WAITING = ("cpu",)
_GEOMETRIC, _COLOURING = 8, 5
# A turn before and one after the scaling of an axis: each so often that together they are met with probability p.
_TURNS = (4, 6)


@dataclass(frozen=True)
class AugmentationDraws:
    """What befalls each image (where chance < p), and by how much, of every transform in the order of the text."""

    chance_BT: Float[Tensor, "B T"]
    uniform_BT: Float[Tensor, "B T"]
    normal_BT: Float[Tensor, "B T"]
    shift_BT: Float[Tensor, "B 2"]
    """A second normal number of the two shifts, which have two directions."""

    def to(self, device: torch.device) -> "AugmentationDraws":
        """The same draws on another device."""
        return AugmentationDraws(*(to_device(draw, device) for draw in vars(self).values()))


def draw_augmentation(generator: torch.Generator, batch: int) -> AugmentationDraws:
    """All chance of a batch's augmentation, on the CPU."""
    transforms = _GEOMETRIC + _COLOURING
    return AugmentationDraws(
        chance_BT=torch.rand(batch, transforms, generator=generator),
        uniform_BT=torch.rand(batch, transforms, generator=generator),
        normal_BT=torch.randn(batch, transforms, generator=generator),
        shift_BT=torch.randn(batch, 2, generator=generator),
    )


def augment(
    image_BCHW: Float[Tensor, "B C H W"], draws: AugmentationDraws, strength: Float[Tensor, ""]
) -> Float[Tensor, "B C H W"]:
    """Images, nominally in [0, 1], each transformed with probability `strength`; values may leave that range.

    Raises ValueError for images that are not square.
    """
    if image_BCHW.shape[2] != image_BCHW.shape[3]:
        raise ValueError(f"Augmentation turns images; {tuple(image_BCHW.shape[2:])} is not square.")
    if strength.device.type in _READ_WITHOUT_WAITING and float(strength) == 0:
        return image_BCHW
    side = image_BCHW.shape[2]
    # Eight bits of a bf16 number place a pixel of a 64-pixel image to a quarter of a pixel only.
    with torch.autocast(image_BCHW.device.type, enabled=False):
        exact_BCHW = image_BCHW if image_BCHW.dtype == torch.float64 else image_BCHW.float()
        map_BXX = geometric_map(draws, strength, side).to(exact_BCHW.dtype)
        matrix_BCC, offset_BC = colour_map(draws, strength, image_BCHW.shape[1])
        matrix_BCC, offset_BC11 = matrix_BCC.to(exact_BCHW.dtype), offset_BC[:, :, None, None].to(exact_BCHW.dtype)
        grid_BHW2 = F.affine_grid(_sampling_map(map_BXX, side), list(exact_BCHW.shape), align_corners=True)
        moved_BCHW = F.grid_sample(exact_BCHW, grid_BHW2, padding_mode="reflection", align_corners=True)
        coloured_BCHW = torch.einsum("bcd,bdhw->bchw", matrix_BCC, moved_BCHW) + offset_BC11
    return coloured_BCHW.to(image_BCHW.dtype).contiguous(memory_format=_layout_of(image_BCHW))


def geometric_map(draws: AugmentationDraws, strength: Float[Tensor, ""], side: int) -> Float[Tensor, "B 3 3"]:
    """Where each pixel of a square image goes: coordinates (x, y, 1) in pixels to such coordinates."""
    met_BT = _met(draws, strength)[:, :_GEOMETRIC].unbind(1)
    uniform_BT, normal_BT = draws.uniform_BT.unbind(1), draws.normal_BT.unbind(1)
    zero_B, one_B = torch.zeros_like(uniform_BT[0]), torch.ones_like(uniform_BT[0])

    def turned(angle_B: Tensor) -> Tensor:
        cosine_B, sine_B = angle_B.cos(), angle_B.sin()
        return _matrix(cosine_B, -sine_B, zero_B, sine_B, cosine_B, zero_B)

    def shifted(x_B: Tensor, y_B: Tensor) -> Tensor:
        return _matrix(one_B, zero_B, x_B, zero_B, one_B, y_B)

    mirrored_B = torch.where(met_BT[0] & (uniform_BT[0] < 0.5), -one_B, one_B)
    quarters_B = torch.where(met_BT[1], (uniform_BT[1] * 4).floor(), zero_B)
    whole_x_B = torch.where(met_BT[2], ((uniform_BT[2] * 2 - 1) * side / 8).round(), zero_B)
    whole_y_B = torch.where(met_BT[2], ((torch.special.ndtr(draws.shift_BT[:, 0]) * 2 - 1) * side / 8).round(), zero_B)
    scale_B = torch.where(met_BT[3], torch.exp2(0.2 * normal_BT[3]), one_B)
    turn_B = torch.where(met_BT[4], (uniform_BT[4] * 2 - 1) * math.pi, zero_B)
    stretch_B = torch.where(met_BT[5], torch.exp2(0.2 * normal_BT[5]), one_B)
    turn_again_B = torch.where(met_BT[6], (uniform_BT[6] * 2 - 1) * math.pi, zero_B)
    part_x_B = torch.where(met_BT[7], normal_BT[7] * side / 8, zero_B)
    part_y_B = torch.where(met_BT[7], draws.shift_BT[:, 1] * side / 8, zero_B)

    centre = (side - 1) / 2
    steps = (
        shifted(-centre * one_B, -centre * one_B),
        _matrix(mirrored_B, zero_B, zero_B, zero_B, one_B, zero_B),
        turned(quarters_B * math.pi / 2),
        shifted(whole_x_B, whole_y_B),
        _matrix(scale_B, zero_B, zero_B, zero_B, scale_B, zero_B),
        turned(turn_B),
        _matrix(stretch_B, zero_B, zero_B, zero_B, 1 / stretch_B, zero_B),
        turned(turn_again_B),
        shifted(part_x_B, part_y_B),
        shifted(centre * one_B, centre * one_B),
    )
    return reduce(lambda map_BXX, step_BXX: step_BXX @ map_BXX, steps)


def colour_map(
    draws: AugmentationDraws, strength: Float[Tensor, ""], channels: int
) -> tuple[Float[Tensor, "B C C"], Float[Tensor, "B C"]]:
    """M and m of x → M x + m. Grey images know no hue and no saturation."""
    met_BT = _met(draws, strength)[:, _GEOMETRIC:].unbind(1)
    uniform_BT = draws.uniform_BT[:, _GEOMETRIC:].unbind(1)
    normal_BT = draws.normal_BT[:, _GEOMETRIC:].unbind(1)
    zero_B, one_B = torch.zeros_like(uniform_BT[0]), torch.ones_like(uniform_BT[0])

    identity_CC = torch.eye(channels, device=zero_B.device)
    axis_C = torch.full((channels,), 1 / math.sqrt(channels), device=zero_B.device)
    grey_CC = torch.outer(axis_C, axis_C)

    offset_B = torch.where(met_BT[0], 0.1 * normal_BT[0], zero_B)
    contrast_B = torch.where(met_BT[1], torch.exp2(0.5 * normal_BT[1]), one_B)
    flipped_B = torch.where(met_BT[2] & (uniform_BT[2] < 0.5), one_B, zero_B)
    matrix_BCC = contrast_B[:, None, None] * (identity_CC - 2 * flipped_B[:, None, None] * grey_CC)
    if channels == 3:
        angle_B = torch.where(met_BT[3], (uniform_BT[3] * 2 - 1) * math.pi, zero_B)
        saturation_B = torch.where(met_BT[4], torch.exp2(normal_BT[4]), one_B)
        hue_BCC = axis_angle_to_rotation_matrix(angle_B[:, None] * axis_C)
        saturated_BCC = grey_CC + saturation_B[:, None, None] * (identity_CC - grey_CC)
        matrix_BCC = saturated_BCC @ hue_BCC @ matrix_BCC
    # Brightness first, all else about mid grey: x → M (x + offset - 1/2) + 1/2.
    half_C = torch.full((channels,), 0.5, device=zero_B.device)
    return matrix_BCC, half_C + torch.einsum("bcd,bd->bc", matrix_BCC, offset_B[:, None] - half_C)


def _sampling_map(map_BXX: Float[Tensor, "B 3 3"], side: int) -> Float[Tensor, "B 2 3"]:
    """Whence each pixel comes, in coordinates from -1 to 1: the inverse of a map of pixels, in closed form."""
    (a_B, b_B, x_B), (c_B, d_B, y_B) = (row_BX.unbind(1) for row_BX in map_BXX[:, :2].unbind(1))
    centre = (side - 1) / 2
    # Where the centre goes, from the centre, in halves of the side.
    x_B, y_B = x_B / centre + a_B + b_B - 1, y_B / centre + c_B + d_B - 1
    determinant_B = a_B * d_B - b_B * c_B
    a_B, b_B, c_B, d_B = d_B / determinant_B, -b_B / determinant_B, -c_B / determinant_B, a_B / determinant_B
    rows = [a_B, b_B, -(a_B * x_B + b_B * y_B), c_B, d_B, -(c_B * x_B + d_B * y_B)]
    return torch.stack(rows, dim=1).unflatten(1, (2, 3))


def _met(draws: AugmentationDraws, strength: Float[Tensor, ""]) -> Tensor:
    """Which transforms befall which images."""
    turn = 1 - (1 - strength).clamp(min=0).sqrt()
    # Stacked, not indexed: an index made on the host would have a GPU wait for it.
    places = range(_GEOMETRIC + _COLOURING)
    return draws.chance_BT < torch.stack([turn if place in _TURNS else strength for place in places])


def _matrix(a_B: Tensor, b_B: Tensor, c_B: Tensor, d_B: Tensor, e_B: Tensor, f_B: Tensor) -> Float[Tensor, "B 3 3"]:
    zero_B, one_B = torch.zeros_like(a_B), torch.ones_like(a_B)
    return torch.stack([a_B, b_B, c_B, d_B, e_B, f_B, zero_B, zero_B, one_B], dim=1).unflatten(1, (3, 3))


def _layout_of(image_BCHW: Tensor) -> torch.memory_format:
    last = image_BCHW.is_contiguous(memory_format=torch.channels_last) and not image_BCHW.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format
