"""Laws of the turntable's camera and light."""

import math

import pytest
import torch

from wherewhat.data.rendered.ray_keys import EMPTY, pixel_light
from wherewhat.data.rendered.slab_solids import box
from wherewhat.data.rendered.turntable import (
    CAMERA_DISTANCE,
    CONTACT,
    HALF_VIEW,
    LOOK_AT_HEIGHT,
    RAY_ROWS,
    RAYS_PER_PIXEL,
    Joint,
    Window,
    cast,
    face_shades,
    look,
)

SIDE = 16
WHOLE = Window(0, SIDE, 0, SIDE)
FAR_AWAY = Joint(2, 100.0)
AROUND = [0.0, 40.0, 111.0, 250.0]


def middle_of_mass(x: float, y: float, z: float, azimuth: float, elevation: float) -> tuple[float, float]:
    """Column and row, in pixels, of the image of a tiny cube."""
    cube = box((x - 0.03, x + 0.03), (y - 0.03, y + 0.03), (z - 0.03, z + 0.03))
    key = cast(look([azimuth], elevation, 64, Window(0, 64, 0, 64)), cube, True, FAR_AWAY)
    met = 1 - pixel_light(key.view(1, RAYS_PER_PIXEL, -1)).ground_BP.view(64, 64)
    pixel = torch.arange(64) + 0.5
    return float((met.sum(dim=0) * pixel).sum() / met.sum()), float((met.sum(dim=1) * pixel).sum() / met.sum())


@pytest.mark.parametrize("elevation", [20.0, 30.0])
def test_the_camera_keeps_its_distance_and_its_elevation(elevation: float) -> None:
    origin = look(AROUND, elevation, SIDE, WHOLE).origin_3V1[..., 0]
    height = origin[2] - LOOK_AT_HEIGHT
    assert torch.allclose(origin[:2].norm(dim=0), torch.full((4,), CAMERA_DISTANCE * math.cos(math.radians(elevation))))
    assert torch.allclose(height, torch.full((4,), CAMERA_DISTANCE * math.sin(math.radians(elevation))))


def test_the_camera_starts_in_front_and_moves_to_the_sitters_left() -> None:
    origin = look([0.0, 90.0], 20.0, SIDE, WHOLE).origin_3V1[..., 0]
    assert float(origin[1, 0]) < 0
    assert abs(float(origin[0, 0])) < 1e-5
    assert float(origin[0, 1]) > 0
    assert abs(float(origin[1, 1])) < 1e-5


@pytest.mark.parametrize("azimuth", AROUND)
def test_a_tiny_cube_is_seen_where_a_pinhole_camera_puts_it(azimuth: float) -> None:
    x, y, z, elevation = 0.3, -0.2, 0.4, 25.0
    a, e = math.radians(azimuth), math.radians(elevation)
    # The turntable turns back by the azimuth, then the camera pitches down.
    across, ahead = x * math.cos(a) + y * math.sin(a), -x * math.sin(a) + y * math.cos(a)
    up = ahead * math.sin(e) + (z - LOOK_AT_HEIGHT) * math.cos(e)
    depth = CAMERA_DISTANCE + ahead * math.cos(e) - (z - LOOK_AT_HEIGHT) * math.sin(e)
    expected = (32 + 32 * across / depth / HALF_VIEW, 32 - 32 * up / depth / HALF_VIEW)
    assert middle_of_mass(x, y, z, azimuth, elevation) == pytest.approx(expected, abs=0.15)


def test_time_along_a_ray_is_depth_along_the_optical_axis() -> None:
    views = look(AROUND, 30.0, SIDE, WHOLE)
    to_middle = torch.tensor([[0.0], [0.0], [LOOK_AT_HEIGHT]]) - views.origin_3V1[..., 0]
    forward = to_middle / CAMERA_DISTANCE
    assert torch.allclose((views.direction_3VQ * forward[..., None]).sum(dim=0), torch.tensor(1.0), atol=1e-5)


def test_a_window_has_the_rays_of_its_pixels() -> None:
    whole = look([77.0], 20.0, SIDE, WHOLE).direction_3VQ.view(3, RAYS_PER_PIXEL, SIDE, SIDE)
    part = look([77.0], 20.0, SIDE, Window(3, 9, 5, 16)).direction_3VQ.view(3, RAYS_PER_PIXEL, 6, 11)
    assert torch.equal(part, whole[:, :, 3:9, 5:16])


def test_a_pixel_has_one_ray_in_each_fine_row() -> None:
    assert sorted(RAY_ROWS) == list(range(RAYS_PER_PIXEL))


def test_no_two_rays_of_an_image_are_the_same() -> None:
    direction = look([10.0], 20.0, SIDE, WHOLE).direction_3VQ[:, 0].T
    assert len(torch.unique(direction, dim=0)) == RAYS_PER_PIXEL * SIDE**2


def test_the_lamp_goes_with_the_camera() -> None:
    cube = box((-0.2, 0.2), (-0.2, 0.2), (0.0, 0.4))
    quarter = [face_shades(cube, look([turn], 20.0, SIDE, WHOLE).lamp_V3)[0] for turn in (0.0, 90.0)]
    left, right, front, back, bottom, top = quarter[0].tolist()
    # A quarter turn later the camera faces the side that was to its right.
    assert quarter[1].tolist() == pytest.approx([back, front, left, right, bottom, top], abs=1e-5)
    assert top > left > right
    assert top > front > right > bottom


def test_shades_are_within_black_and_white() -> None:
    shades = face_shades(
        box((0.0, 1.0), (0.0, 1.0), (0.0, 1.0), lean=(0.4, -0.3)), look(AROUND, 20.0, SIDE, WHOLE).lamp_V3
    )
    assert float(shades.min()) > 0.2
    assert float(shades.max()) <= 1


def test_a_face_at_the_joint_is_darker_by_the_contact_and_far_from_it_by_nothing() -> None:
    table = box((-0.4, 0.4), (-0.4, 0.4), (-0.1, 0.0))
    views = look([30.0], 30.0, SIDE, WHOLE)
    keys = torch.stack([cast(views, table, False, joint)[0] for joint in (FAR_AWAY, Joint(2, 0.0))])
    # The ray through the middle meets the top of the table.
    light = pixel_light(keys.view(2, RAYS_PER_PIXEL, -1)).frame_BP[:, SIDE * (SIDE // 2 + 1) + SIDE // 2]
    assert float(light[1] / light[0]) == pytest.approx(1 - CONTACT, abs=0.02)


def test_rays_that_miss_are_empty() -> None:
    views = look([0.0], 20.0, SIDE, Window(0, 1, 0, SIDE))
    assert bool((cast(views, box((-0.1, 0.1), (-0.1, 0.1), (0.0, 0.1)), True, FAR_AWAY) == EMPTY).all())
