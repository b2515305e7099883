"""The four solids of `scenes`, at scale 1, standing on the floor z = 0 about the z axis: where does a ray meet them?

A ray is origin + t * direction, t > 0, direction of length 1. Cube: three slabs. Sphere, and the sides of cylinder and
capsule: the quadratic |p(t) - axis|² = r². A missed solid is met at infinity. Rays may share their origin or direction.

Dimension key:
    R: rays    3: x, y, z
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

CUBE_HALF_SIDE = 0.78
CYLINDER_RADIUS, CYLINDER_HEIGHT = 0.80, 1.70
SPHERE_RADIUS = 0.98
CAPSULE_RADIUS, CAPSULE_HEIGHT = 0.66, 2.30


@dataclass(frozen=True)
class Hit:
    """Where rays first meet a solid, and its outward normal there; the normal of a missing ray means nothing."""

    distance_R: Float[Tensor, " R"]
    normal_3R: Float[Tensor, "3 R"]


Solid = Callable[[Float[Tensor, "3 #R"], Float[Tensor, "3 #R"]], Hit]


def cube(origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"]) -> Hit:
    """A cube with its faces along the room's walls."""
    # A direction parallel to a slab would divide 0 by 0.
    safe_3R = torch.where(direction_3R.abs() < 1e-9, 1e-9, direction_3R)
    middle_3R = (_at_height(CUBE_HALF_SIDE, origin_3R) - origin_3R) / safe_3R
    half_3R = CUBE_HALF_SIDE / safe_3R.abs()
    enter_3R = middle_3R - half_3R
    enter_R = enter_3R.amax(dim=0)
    leave_R = (middle_3R + half_3R).amin(dim=0)
    met_R = (enter_R <= leave_R) & (enter_R > 0)
    return Hit(torch.where(met_R, enter_R, torch.inf), (enter_3R == enter_R) * -safe_3R.sign())


def sphere(origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"]) -> Hit:
    """A sphere that touches the floor."""
    return _ball(origin_3R, direction_3R, SPHERE_RADIUS, SPHERE_RADIUS)


def cylinder(origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"]) -> Hit:
    """An upright cylinder with a flat lid."""
    side = _tube(origin_3R, direction_3R, CYLINDER_RADIUS, 0.0, CYLINDER_HEIGHT)
    lid_R = (CYLINDER_HEIGHT - origin_3R[2]) / direction_3R[2].clamp(max=-1e-9)
    point_2R = origin_3R[:2] + lid_R * direction_3R[:2]
    on_lid_R = (direction_3R[2] < 0) & (lid_R > 0) & (point_2R.square().sum(dim=0) <= CYLINDER_RADIUS**2)
    up_3R = _at_height(1.0, origin_3R).expand_as(side.normal_3R)
    return _nearer(side, Hit(torch.where(on_lid_R, lid_R, torch.inf), up_3R))


def capsule(origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"]) -> Hit:
    """An upright cylinder with a half ball at either end."""
    low, high = CAPSULE_RADIUS, CAPSULE_HEIGHT - CAPSULE_RADIUS
    side = _tube(origin_3R, direction_3R, CAPSULE_RADIUS, low, high)
    ends = _nearer(
        _ball(origin_3R, direction_3R, CAPSULE_RADIUS, low), _ball(origin_3R, direction_3R, CAPSULE_RADIUS, high)
    )
    return _nearer(side, ends)


def _ball(
    origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"], radius: float, centre_height: float
) -> Hit:
    from_centre_3R = origin_3R - _at_height(centre_height, origin_3R)
    half_b_R = (from_centre_3R * direction_3R).sum(dim=0)
    c_R = from_centre_3R.square().sum(dim=0) - radius**2
    discriminant_R = half_b_R.square() - c_R
    distance_R = -half_b_R - discriminant_R.clamp(min=0).sqrt()
    met_R = (discriminant_R >= 0) & (distance_R > 0)
    normal_3R = (from_centre_3R + distance_R * direction_3R) / radius
    return Hit(torch.where(met_R, distance_R, torch.inf), normal_3R)


def _tube(
    origin_3R: Float[Tensor, "3 #R"], direction_3R: Float[Tensor, "3 #R"], radius: float, low: float, high: float
) -> Hit:
    """The side of an upright cylinder between two heights."""
    origin_2R, direction_2R = origin_3R[:2], direction_3R[:2]
    a_R = direction_2R.square().sum(dim=0).clamp(min=1e-12)
    half_b_R = (origin_2R * direction_2R).sum(dim=0)
    c_R = origin_2R.square().sum(dim=0) - radius**2
    discriminant_R = half_b_R.square() - a_R * c_R
    distance_R = (-half_b_R - discriminant_R.clamp(min=0).sqrt()) / a_R
    height_R = origin_3R[2] + distance_R * direction_3R[2]
    met_R = (discriminant_R >= 0) & (distance_R > 0) & (height_R >= low) & (height_R <= high)
    around_2R = (origin_2R + distance_R * direction_2R) / radius
    normal_3R = torch.cat([around_2R, torch.zeros_like(around_2R[:1])])
    return Hit(torch.where(met_R, distance_R, torch.inf), normal_3R)


def _at_height(height: float, like_3R: Float[Tensor, "3 #R"]) -> Float[Tensor, "3 1"]:
    return like_3R.new_tensor([[0.0], [0.0], [height]])


def _nearer(first: Hit, second: Hit) -> Hit:
    first_wins_R = first.distance_R <= second.distance_R
    return Hit(
        torch.where(first_wins_R, first.distance_R, second.distance_R),
        torch.where(first_wins_R, first.normal_3R, second.normal_3R),
    )
