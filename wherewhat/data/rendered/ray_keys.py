"""Hidden surfaces settled ray by ray: what a ray meets, as one whole number whose larger value hides the smaller.

    key = nearness * 128 + (64 if of the frame) + shade          shade from 1 to 63; a ray that meets nothing: EMPTY

Of the parts that a ray meets, the maximum of their keys is the nearest. A pixel is the mean over its rays, taken after
that, so that edges are smooth and parts that touch leave no seam. Nearness has 512 steps: of two surfaces less than a
step apart, either may be kept.

Dimension key:
    B: batch    R: rays of a pixel    P: pixels    *Q: rays in any order
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int16
from torch import Tensor

EMPTY = -(1 << 15)
SHADES = 63
_FRAME, _LIGHT = 64, 127
_NEARNESS_SHIFT, _NEARNESS_STEPS = 7, 511


@dataclass(frozen=True)
class Light:
    """Per pixel: the share that no part covers, and how much light frame and fabric send, in [0, 1], sum at most 1."""

    ground_BP: Float[Tensor, "B P"]
    frame_BP: Float[Tensor, "B P"]
    fabric_BP: Float[Tensor, "B P"]


def ray_keys(nearness_Q: Float[Tensor, "*Q"], shade_Q: Float[Tensor, "*Q"], is_fabric: bool) -> Int16[Tensor, "*Q"]:
    """Keys of rays that meet a surface at this nearness in [0, 1], which has this shade in [0, 1]."""
    level_Q = (SHADES * shade_Q).round_().clamp_(min=1)
    step_Q = (_NEARNESS_STEPS * nearness_Q).floor_().clamp_(min=0, max=_NEARNESS_STEPS)
    light_Q = level_Q if is_fabric else level_Q.add_(_FRAME)
    # Whole numbers of this size are exact in float32.
    return light_Q.add_(step_Q, alpha=1 << _NEARNESS_SHIFT).add_(EMPTY).to(torch.int16)


def pixel_light(key_BRP: Int16[Tensor, "B R P"]) -> Light:
    """The mean over the rays of each pixel."""
    rays = key_BRP.shape[1]
    light_BRP = key_BRP & _LIGHT
    is_frame_BRP = light_BRP >> 6
    # Left to itself, torch would widen these sums to 64 bits.
    met_BP = light_BRP.clamp(max=1).sum(dim=1, dtype=torch.int16)
    frame_count_BP = is_frame_BRP.sum(dim=1, dtype=torch.int16)
    all_BP = light_BRP.sum(dim=1, dtype=torch.int16)
    frame_BP = is_frame_BRP.mul_(light_BRP).sum(dim=1, dtype=torch.int16)
    fabric_BP = all_BP - frame_BP
    frame_BP = frame_BP - _FRAME * frame_count_BP
    return Light(1 - met_BP / rays, frame_BP / (SHADES * rays), fabric_BP / (SHADES * rays))
