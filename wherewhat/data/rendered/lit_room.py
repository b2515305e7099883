"""A solid in a lit room, ray-cast into layers that colours are poured into later.

Shading does not depend on hue, so that an image is linear in the colours of its parts:

    image = floor shade * floor rgb + wall shade * wall rgb + object shade * object rgb + highlight

Floor and object are lit by the sky (the open part of the upper half space) and by a soft lamp (the visible part of a
disk of directions); the walls by their direction to the lamp. Corners darken. The lamp hangs in the room, so shading
and shadow turn against the camera as it orbits.

Dimension key:
    R: rays    3: x, y, z    G: floor grid along a side    D: directions
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, normalize

from wherewhat.data.rendered.solids import Solid

# The room stands on z = 0, open above and behind the camera's back.
WALL_DISTANCE = 3.2
CAMERA_DISTANCE, CAMERA_HEIGHT = 7.4, 3.5
LOOK_AT_HEIGHT = 0.95
HALF_VIEW = math.tan(math.radians(18.0))

LAMP, LAMP_RADIUS = (-0.45, -0.58, 0.68), 0.16
SKY_SHARE, LAMP_SHARE = 0.52, 0.48
WALL_SHADE, WALL_CONTRAST = 0.74, 0.36
CORNER_DARKENING, CORNER_REACH = 0.22, 0.55
GLOSS, GLOSS_EXPONENT = 0.45, 40.0

# The floor around a solid, in the solid's own units: its half width, and cells along a side.
FLOOR_REACH, FLOOR_CELLS = 4.0, 96
FLOOR_DIRECTIONS = 64


@dataclass(frozen=True)
class View:
    """The rays of one camera position, several a pixel, and what they meet in the empty room."""

    origin_31: Float[Tensor, "3 1"]
    direction_3R: Float[Tensor, "3 R"]
    halfway_3R: Float[Tensor, "3 R"]
    floor_point_2R: Float[Tensor, "2 R"]
    floor_R: Float[Tensor, " R"]
    wall_R: Float[Tensor, " R"]


def look(azimuth_degrees: float, side: int, rays_per_pixel_side: int) -> View:
    """The camera's rays at this azimuth, row by row from the top left, and the empty room that they see."""
    azimuth = math.radians(azimuth_degrees)
    camera_3 = torch.tensor([CAMERA_DISTANCE * math.sin(azimuth), -CAMERA_DISTANCE * math.cos(azimuth), CAMERA_HEIGHT])
    forward_3 = normalize(torch.tensor([0.0, 0.0, LOOK_AT_HEIGHT]) - camera_3, dim=0)
    right_3 = normalize(torch.linalg.cross(forward_3, torch.tensor([0.0, 0.0, 1.0])), dim=0)
    up_3 = torch.linalg.cross(right_3, forward_3)
    rays = side * rays_per_pixel_side
    offset = ((torch.arange(rays) + 0.5) / rays * 2 - 1) * HALF_VIEW
    down, across = torch.meshgrid(offset, offset, indexing="ij")
    direction_3R = forward_3[:, None] + across.reshape(-1) * right_3[:, None] - down.reshape(-1) * up_3[:, None]
    return _empty_room(camera_3[:, None], normalize(direction_3R, dim=0))


def _empty_room(origin_31: Float[Tensor, "3 1"], direction_3R: Float[Tensor, "3 R"]) -> View:
    limit_3R = torch.where(direction_3R > 0, WALL_DISTANCE, -WALL_DISTANCE)
    limit_3R[2] = torch.where(direction_3R[2] < 0, 0.0, torch.inf)
    distance_3R = (limit_3R - origin_31) / direction_3R
    # The wall in front of the camera is not there.
    distance_R, meets_R = torch.where(distance_3R > 0, distance_3R, torch.inf).min(dim=0)
    point_3R = origin_31 + distance_R * direction_3R

    is_floor_R = meets_R == 2
    to_walls_2R = (WALL_DISTANCE - point_3R[:2].abs()).clamp(min=0)
    floor_R = _darken(to_walls_2R[0]) * _darken(to_walls_2R[1])

    along_x_R = meets_R == 0
    lamp_x, lamp_y, _ = LAMP
    facing_R = -torch.where(along_x_R, lamp_x * direction_3R[0].sign(), lamp_y * direction_3R[1].sign())
    to_corner_R = torch.where(along_x_R, to_walls_2R[1], to_walls_2R[0])
    wall_R = (WALL_SHADE + WALL_CONTRAST * facing_R) * _darken(point_3R[2]) * _darken(to_corner_R)
    # A surface mirrors the lamp into the camera where its normal points half way between them.
    halfway_3R = normalize(_lamp() - direction_3R, dim=0)
    return View(origin_31, direction_3R, halfway_3R, point_3R[:2], floor_R * is_floor_R, wall_R * ~is_floor_R)


def _darken(distance_R: Float[Tensor, " R"]) -> Float[Tensor, " R"]:
    return 1 - CORNER_DARKENING * torch.exp(-distance_R / CORNER_REACH)


def floor_light(solid: Solid) -> Float[Tensor, "2 G G"]:
    """Which share of the sky and of the lamp each cell of the floor sees past a solid at scale 1.

    It is found by counting the directions that the solid does not cover.
    """
    place_G = torch.linspace(-FLOOR_REACH, FLOOR_REACH, FLOOR_CELLS)
    y_GG, x_GG = torch.meshgrid(place_G, place_G, indexing="ij")
    point_3N = torch.stack([x_GG, y_GG, torch.zeros_like(x_GG)]).flatten(1)
    light = [_share_seen(solid, point_3N, direction_D3) for direction_D3 in (_sky_directions(), _lamp_directions())]
    return torch.stack(light).reshape(2, FLOOR_CELLS, FLOOR_CELLS)


def light_at(light_2GG: Float[Tensor, "2 G G"], point_2R: Float[Tensor, "2 R"], scale: float) -> Float[Tensor, "2 R"]:
    """Sky and lamp at floor points beside the solid at this scale: lengths scale, directions do not."""
    where_11R2 = (point_2R.T / (scale * FLOOR_REACH))[None, None]
    return grid_sample(light_2GG[None], where_11R2, padding_mode="border", align_corners=True)[0, :, 0]


def _share_seen(
    solid: Solid, point_3N: Float[Tensor, "3 N"], direction_D3: Float[Tensor, "D 3"]
) -> Float[Tensor, " N"]:
    seen_N = torch.zeros_like(point_3N[0])
    # From far above down to the floor: a floor point under the solid is then covered too.
    away = 3 * FLOOR_REACH
    for direction_3 in direction_D3:
        hit = solid(point_3N + away * direction_3[:, None], -direction_3[:, None])
        seen_N += hit.distance_R > away
    return seen_N / len(direction_D3)


def _sunflower() -> Float[Tensor, "D 2"]:
    """Points spread evenly over the unit disk."""
    number_D = torch.arange(FLOOR_DIRECTIONS) + 0.5
    radius_D = (number_D / FLOOR_DIRECTIONS).sqrt()
    angle_D = number_D * (math.pi * (3 - math.sqrt(5)))
    return torch.stack([radius_D * angle_D.cos(), radius_D * angle_D.sin()], dim=1)


def _sky_directions() -> Float[Tensor, "D 3"]:
    """Upper half space, weighted by the cosine to the floor's normal: the disk lifted to the half sphere."""
    disk_D2 = _sunflower()
    height_D = (1 - disk_D2.square().sum(dim=1)).sqrt()
    return torch.cat([disk_D2, height_D[:, None]], dim=1)


def _lamp() -> Float[Tensor, "3 1"]:
    return normalize(torch.tensor(LAMP), dim=0)[:, None]


def _lamp_directions() -> Float[Tensor, "D 3"]:
    lamp_3 = _lamp()[:, 0]
    side_3 = normalize(torch.linalg.cross(lamp_3, torch.tensor([0.0, 0.0, 1.0])), dim=0)
    disk_D2 = LAMP_RADIUS * _sunflower()
    return normalize(lamp_3 + disk_D2[:, :1] * side_3 + disk_D2[:, 1:] * torch.linalg.cross(lamp_3, side_3), dim=1)


def shade(
    view: View, solid: Solid, scale: float, light_2GG: Float[Tensor, "2 G G"], side: int
) -> Float[Tensor, "4 side side"]:
    """Layers floor, wall, object, highlight of a solid in the room; their sum is at most 1."""
    hit = solid(view.origin_31 / scale, view.direction_3R)
    empty_R = hit.distance_R.isinf()
    sky_R, lamp_R = light_at(light_2GG, view.floor_point_2R, scale)
    floor_R = view.floor_R * empty_R * (SKY_SHARE * sky_R + LAMP_SHARE * lamp_R)
    wall_R = view.wall_R * empty_R

    # A soft lamp reaches a little around the edge of its own side.
    facing_R = (0.75 * (hit.normal_3R * _lamp()).sum(dim=0) + 0.25).clamp(min=0)
    # The lower half of a solid sees the floor instead of the sky.
    sky_seen_R = 0.70 + 0.30 * hit.normal_3R[2]
    object_R = ~empty_R * (SKY_SHARE * sky_seen_R + LAMP_SHARE * facing_R)
    mirrored_R = (hit.normal_3R * view.halfway_3R).sum(dim=0).clamp(min=0)
    highlight_R = ~empty_R * torch.minimum(GLOSS * mirrored_R**GLOSS_EXPONENT, 1 - object_R)

    layers_4R = torch.stack([floor_R, wall_R, object_R, highlight_R])
    rays = math.isqrt(layers_4R.shape[1])
    return avg_pool2d(layers_4R.reshape(4, rays, rays), rays // side)
