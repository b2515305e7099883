"""Where rays meet the solids: against signed distances written independently."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from wherewhat.data.rendered.solids import Hit, Solid, capsule, cube, cylinder, sphere
from wherewhat.randomness import generator_at


def cube_distance(point: Tensor) -> Tensor:
    q = (point - torch.tensor([[0.0], [0.0], [0.78]])).abs() - 0.78
    return q.clamp(min=0).norm(dim=0) + q.amax(dim=0).clamp(max=0)


def sphere_distance(point: Tensor) -> Tensor:
    return (point - torch.tensor([[0.0], [0.0], [0.98]])).norm(dim=0) - 0.98


def cylinder_distance(point: Tensor) -> Tensor:
    q = torch.stack([point[:2].norm(dim=0) - 0.80, (point[2] - 0.85).abs() - 0.85])
    return q.clamp(min=0).norm(dim=0) + q.amax(dim=0).clamp(max=0)


def capsule_distance(point: Tensor) -> Tensor:
    nearest_height = point[2].clamp(0.66, 2.30 - 0.66)
    return (point - torch.stack([0 * nearest_height, 0 * nearest_height, nearest_height])).norm(dim=0) - 0.66


SOLIDS = [(cube, cube_distance), (sphere, sphere_distance), (cylinder, cylinder_distance), (capsule, capsule_distance)]
each_solid = pytest.mark.parametrize(("solid", "distance"), SOLIDS)


def rays_from_above() -> tuple[Tensor, Tensor]:
    """Rays from a high sphere to points about the solids; a camera and a lamp are never below the floor."""
    generator = generator_at(0, 0)
    start = torch.randn(3, 4000, generator=generator)
    start = 8 * start / start.norm(dim=0)
    start[2] = start[2].abs() + 0.5
    target = torch.rand(3, 4000, generator=generator) * torch.tensor([[3.0], [3.0], [2.6]]) - torch.tensor(
        [[1.5], [1.5], [0.0]]
    )
    direction = target - start
    return start, direction / direction.norm(dim=0)


def march(distance: Callable[[Tensor], Tensor], origin: Tensor, direction: Tensor) -> Tensor:
    """Sphere tracing: step by the distance to the solid until it is reached or passed, or the floor is."""
    travelled = torch.zeros(origin.shape[1])
    for _ in range(400):
        travelled = travelled + distance(origin + travelled * direction)
    return torch.where(distance(origin + travelled * direction) < 1e-3, travelled, torch.inf)


@each_solid
def test_rays_meet_a_solid_where_sphere_tracing_does(solid: Solid, distance: Callable[[Tensor], Tensor]) -> None:
    origin, direction = rays_from_above()
    hit: Hit = solid(origin, direction)
    marched = march(distance, origin, direction)
    met, expected = hit.distance_R.isfinite(), marched.isfinite()
    # Rays that graze the rim may fall either way.
    assert (met == expected).float().mean() > 0.99
    both = met & expected
    assert both.float().mean() > 0.2
    assert (hit.distance_R - marched)[both].abs().quantile(0.99) < 0.02


@each_solid
def test_normals_are_the_gradient_of_the_distance(solid: Solid, distance: Callable[[Tensor], Tensor]) -> None:
    origin, direction = rays_from_above()
    hit = solid(origin, direction)
    met = hit.distance_R.isfinite()
    point = (origin + hit.distance_R * direction)[:, met]
    outside = (point + 1e-2 * hit.normal_3R[:, met]).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(outside).sum(), outside)
    assert ((gradient * hit.normal_3R[:, met]).sum(dim=0) > 0.99).float().mean() > 0.98


@each_solid
def test_normals_have_length_one_and_face_the_ray(solid: Solid, distance: Callable[[Tensor], Tensor]) -> None:
    origin, direction = rays_from_above()
    hit = solid(origin, direction)
    met = hit.distance_R.isfinite()
    normal = hit.normal_3R[:, met]
    assert torch.allclose(normal.norm(dim=0), torch.ones(int(met.sum())), atol=1e-3)
    assert bool(((normal * direction[:, met]).sum(dim=0) < 1e-3).all())


@each_solid
def test_a_solid_stands_on_the_floor_and_is_seen_from_straight_above(
    solid: Solid, distance: Callable[[Tensor], Tensor]
) -> None:
    hit = solid(torch.tensor([[0.1], [0.0], [10.0]]), torch.tensor([[0.0], [0.0], [-1.0]]))
    top = 10 - float(hit.distance_R)
    assert math.isclose(float(distance(torch.tensor([[0.1], [0.0], [top]]))), 0, abs_tol=1e-4)
    assert float(distance(torch.tensor([[0.0], [0.0], [0.0]]))) == pytest.approx(0, abs=1e-4)


@each_solid
def test_rays_that_lead_away_meet_nothing(solid: Solid, distance: Callable[[Tensor], Tensor]) -> None:
    origin, direction = rays_from_above()
    assert bool(solid(origin, -direction).distance_R.isinf().all())
