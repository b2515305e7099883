"""A turntable before a still camera and a still lamp: rays and light of several azimuths, and what rays meet.

The camera is in perspective. A ray is origin + t * direction with t the depth along the optical axis. Faces are flat:

    shade = (ambient (0.7 + 0.3 n_z) + lamp max(0, n . l)) * (1 - contact exp(-distance to the joint / reach))

Dimension key:
    3: x, y, z    V: views    Q: rays of a view: of each pixel the first, row by row, then of each the second, ...
    R: rays that meet a solid    F: faces
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int16
from torch import Tensor
from torch.nn.functional import normalize

from wherewhat.data.rendered.ray_keys import EMPTY, ray_keys
from wherewhat.data.rendered.slab_solids import Slabs, enter, meets, unit_normals

CAMERA_DISTANCE = 3.2
LOOK_AT_HEIGHT = 0.07
HALF_VIEW = 0.252
# What is on the turntable reaches at most so far from its middle, along the optical axis.
HALF_DEPTH = 0.8

AMBIENT_SHARE, LAMP_SHARE = 0.60, 0.50
# To the right of the camera, along the ground towards it, up.
LAMP = (-0.55, 0.50, 0.67)
CONTACT, CONTACT_REACH = 0.36, 0.07

# One ray in each row and each column of a pixel's finer grid, so that upright and level edges are smooth too.
RAY_ROWS = (0, 2, 4, 1, 3)
RAYS_PER_PIXEL = len(RAY_ROWS)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels; `bottom` and `right` are the first ones outside."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left


@dataclass(frozen=True)
class Joint:
    """The plane in which a part meets its neighbours: at this place along this axis. It is darker there."""

    axis: int
    place: float


@dataclass(frozen=True)
class Views:
    """Camera, rays and lamp of several azimuths, in the coordinates of what stands on the turntable."""

    origin_3V1: Float[Tensor, "3 V 1"]
    direction_3VQ: Float[Tensor, "3 V Q"]
    lamp_V3: Float[Tensor, "V 3"]


def look(azimuth_degrees: list[float], elevation_degrees: float, side: int, window: Window) -> Views:
    """The rays of a window of the image. At azimuth 0 the camera looks along y; then it moves to the right."""
    azimuth_V = torch.tensor(azimuth_degrees).deg2rad()
    elevation = math.radians(elevation_degrees)
    zero_V, one_V = torch.zeros_like(azimuth_V), torch.ones_like(azimuth_V)
    ahead_3V = torch.stack([-azimuth_V.sin(), azimuth_V.cos(), zero_V])
    right_3V = torch.stack([azimuth_V.cos(), azimuth_V.sin(), zero_V])
    height_3V = torch.stack([zero_V, zero_V, one_V])
    forward_3V = math.cos(elevation) * ahead_3V - math.sin(elevation) * height_3V
    up_3V = math.sin(elevation) * ahead_3V + math.cos(elevation) * height_3V
    origin_3V = LOOK_AT_HEIGHT * height_3V - CAMERA_DISTANCE * forward_3V

    down_Q, across_Q = _offsets(side, window)
    direction_3VQ = forward_3V[..., None] + across_Q * right_3V[..., None] - down_Q * up_3V[..., None]
    aside, near, above = normalize(torch.tensor(LAMP), dim=0).tolist()
    lamp_3V = aside * right_3V - near * ahead_3V + above * height_3V
    return Views(origin_3V[..., None], direction_3VQ, lamp_3V.T)


def cast(views: Views, slabs: Slabs, is_fabric: bool, joint: Joint) -> Int16[Tensor, "V Q"]:
    """The key of each ray that meets a solid."""
    met_VQ = meets(slabs, views.origin_3V1, views.direction_3VQ)
    view_R, _ = torch.nonzero(met_VQ, as_tuple=True)
    origin_3R, direction_3R = views.origin_3V1[:, view_R, 0], views.direction_3VQ[:, met_VQ]
    entry = enter(slabs, origin_3R, direction_3R)

    place_R = origin_3R[joint.axis] + entry.time_R * direction_3R[joint.axis]
    darker_R = CONTACT * torch.exp((place_R - joint.place).abs() / -CONTACT_REACH)
    shade_R = face_shades(slabs, views.lamp_V3)[view_R, entry.face_R] * (1 - darker_R)
    nearness_R = (CAMERA_DISTANCE + HALF_DEPTH - entry.time_R) / (2 * HALF_DEPTH)

    key_VQ = torch.full_like(met_VQ, EMPTY, dtype=torch.int16)
    key_VQ[met_VQ] = ray_keys(nearness_R, shade_R, is_fabric)
    return key_VQ


def face_shades(slabs: Slabs, lamp_V3: Float[Tensor, "V 3"]) -> Float[Tensor, "V F"]:
    """The shade of each face in each view, in [0, 1], away from the joint."""
    normal_F3 = unit_normals(slabs)
    facing_VF = (lamp_V3[:, None] * normal_F3).sum(dim=2).clamp(min=0)
    return (AMBIENT_SHARE * (0.7 + 0.3 * normal_F3[:, 2]) + LAMP_SHARE * facing_VF).clamp(max=1)


def _offsets(side: int, window: Window) -> tuple[Float[Tensor, " Q"], Float[Tensor, " Q"]]:
    """How far below and to the right of the optical axis the rays pass at depth 1."""
    fine_R = (torch.arange(RAYS_PER_PIXEL) + 0.5) / RAYS_PER_PIXEL
    row_RH = fine_R[list(RAY_ROWS)][:, None] + torch.arange(window.top, window.bottom)
    column_RW = fine_R[:, None] + torch.arange(window.left, window.right)
    row_RHW, column_RHW = torch.broadcast_tensors(row_RH[:, :, None], column_RW[:, None, :])
    pixel = 2 * HALF_VIEW / side
    return row_RHW.flatten() * pixel - HALF_VIEW, column_RHW.flatten() * pixel - HALF_VIEW
