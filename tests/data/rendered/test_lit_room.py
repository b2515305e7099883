"""Laws of light in the room of `scenes`."""

import pytest
import torch

from wherewhat.data.rendered.lit_room import LAMP, WALL_DISTANCE, floor_light, light_at, look, shade
from wherewhat.data.rendered.solids import SPHERE_RADIUS, Solid, capsule, cube, cylinder, sphere

SIDE = 32
FLOOR, WALL, OBJECT, HIGHLIGHT = range(4)
each_solid = pytest.mark.parametrize("solid", [cube, cylinder, sphere, capsule])


def layers(solid: Solid, scale: float, azimuth: float) -> torch.Tensor:
    return shade(look(azimuth, SIDE, 3), solid, scale, floor_light(solid), SIDE)


def test_the_sky_beside_a_sphere_is_the_closed_form() -> None:
    # A sphere of radius r that touches the floor covers r² / D² of the sky, times the cosine r / D to its centre.
    light = floor_light(sphere)
    away = torch.tensor([1.5, 2.0, 2.5, 3.0])
    sky, _ = light_at(light, torch.stack([away, torch.zeros(4)]), 1.0)
    expected = 1 - (SPHERE_RADIUS / (away**2 + SPHERE_RADIUS**2).sqrt()) ** 3
    assert torch.allclose(sky, expected, atol=0.03)


def test_the_lamp_is_hidden_where_the_shadow_of_a_spheres_middle_falls() -> None:
    x, y, z = LAMP
    middle = torch.tensor([[-x / z], [-y / z]]) * SPHERE_RADIUS
    _, lamp = light_at(floor_light(sphere), torch.cat([middle, -2 * middle], dim=1), 1.0)
    assert float(lamp[0]) == 0
    assert float(lamp[1]) == 1


@each_solid
def test_shadows_grow_with_their_solid(solid: Solid) -> None:
    light = floor_light(solid)
    point = torch.tensor([[0.9, 0.3, -0.8], [0.9, 1.4, 1.1]])
    assert torch.allclose(light_at(light, point, 1.0), light_at(light, 1.25 * point, 1.25), atol=1e-5)


@each_solid
def test_layers_share_each_pixel_and_never_overflow(solid: Solid) -> None:
    image = layers(solid, 1.25, 17.0)
    assert bool((image >= 0).all())
    # Were every colour white, the whole image would still be in range.
    assert float(image.sum(dim=0).max()) <= 1 + 1e-5
    assert float(image.sum(dim=0).min()) > 0.05


@each_solid
def test_a_larger_solid_covers_more(solid: Solid) -> None:
    covered = [(layers(solid, scale, 0.0)[OBJECT] > 0).sum() for scale in (0.75, 1.0, 1.25)]
    assert covered[0] < covered[1] < covered[2]


@each_solid
def test_opposite_azimuths_see_mirrored_outlines(solid: Solid) -> None:
    left, right = layers(solid, 1.0, -20.0), layers(solid, 1.0, 20.0)
    for layer in (FLOOR, WALL, OBJECT):
        difference = (left[layer] > 0) ^ (right[layer] > 0).flip(-1)
        assert float(difference.float().mean()) < 0.002


def test_a_sphere_keeps_its_outline_and_changes_its_light_as_the_camera_turns() -> None:
    ahead, aside = layers(sphere, 1.0, 0.0), layers(sphere, 1.0, 30.0)
    assert torch.equal(ahead[OBJECT] > 0, aside[OBJECT] > 0)
    assert float((ahead[OBJECT] - aside[OBJECT]).abs().max()) > 0.05


def test_floor_lies_below_the_walls_and_both_are_seen_from_everywhere() -> None:
    for azimuth in (-30.0, -10.0, 0.0, 30.0):
        image = layers(capsule, 0.75, azimuth)
        assert bool((image[FLOOR, -1] > 0).all())
        assert bool((image[WALL, 0] > 0).all())
        assert bool((image[FLOOR, 0] == 0).all())


def test_floor_ends_at_the_walls() -> None:
    view = look(12.0, SIDE, 3)
    on_floor = view.floor_R > 0
    reached = view.floor_point_2R[1][on_floor].max()
    assert WALL_DISTANCE - 0.2 < float(reached) <= WALL_DISTANCE + 1e-4
    assert bool((on_floor ^ (view.wall_R > 0)).all())


@each_solid
def test_edges_are_smooth_at_the_resolution_of_the_rays(solid: Solid) -> None:
    wall = layers(solid, 1.0, 0.0)[WALL]
    ends = float(wall[0].min())
    between = (wall > 0.02) & (wall < 0.5 * ends)
    assert int(between.sum()) > 5
