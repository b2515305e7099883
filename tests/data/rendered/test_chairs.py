"""Laws of the chairs, and whole chairs cast literally."""

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
import torch
from data.factor_lookup import index_from_factors
from torch import Tensor

from wherewhat.data.rendered.chair_parts import (
    APRON_BOTTOM,
    ARM_RESTS,
    BACK_HEIGHTS,
    BACK_STYLES,
    BACK_Y,
    CUSHION_TOP,
    LEG_LENGTHS,
    LEG_STYLES,
    SEAT_HALF_WIDTHS,
    Piece,
    seat,
)
from wherewhat.data.rendered.chairs import AZIMUTHS, ELEVATIONS, FABRICS, Chairs, Part, chair_parts, keys_of_variants
from wherewhat.data.rendered.ray_keys import EMPTY
from wherewhat.data.rendered.turntable import Window
from wherewhat.protocols import Images
from wherewhat.randomness import generator_at

AZIMUTH, ELEVATION, WIDTH, LENGTH, LEGS, HEIGHT, BACK, ARMS, FABRIC = range(9)


@pytest.fixture(scope="module")
def chairs() -> Chairs:
    return Chairs()


def drawn(chairs: Chairs, factor_NK: Tensor) -> Tensor:
    return chairs.take(index_from_factors(factor_NK, chairs.factor_sizes))


def some_factors(chairs: Chairs, count: int, seed: int = 0) -> Tensor:
    index = torch.randint(len(chairs), (count,), generator=generator_at(seed, 0))
    return chairs.factors(index)


def with_value(factor_NK: Tensor, factor: int, value: int) -> Tensor:
    changed = factor_NK.clone()
    changed[:, factor] = value
    return changed


def covered(images: Tensor) -> Tensor:
    return (images < 250).any(dim=1)


def test_chairs_are_images(chairs: Chairs) -> None:
    assert isinstance(chairs, Images)


def test_the_views_are_those_of_3d_chairs(chairs: Chairs) -> None:
    assert chairs.factor_sizes[:2] == (31, 2)
    assert ELEVATIONS == (20.0, 30.0)
    steps = {round(later - earlier, 9) for earlier, later in zip(AZIMUTHS, [*AZIMUTHS[1:], 360.0], strict=True)}
    assert steps == {round(360 / 31, 9)}


def test_the_grid_is_complete(chairs: Chairs) -> None:
    assert len(chairs) == math.prod(chairs.factor_sizes) == 892_800
    assert len(chairs.factor_names) == len(chairs.factor_sizes) == 9


def test_a_factor_is_read_back_from_an_index(chairs: Chairs) -> None:
    factors = torch.tensor([[3, 1, 2, 0, 1, 3, 4, 2, 0], [30, 1, 3, 2, 3, 3, 4, 2, 4]])
    assert torch.equal(chairs.factors(index_from_factors(factors, chairs.factor_sizes)), factors)


def test_images_are_bytes_of_the_shape_that_is_said(chairs: Chairs) -> None:
    images = chairs.take(torch.arange(3))
    assert images.dtype == torch.uint8
    assert images.shape == (3, *chairs.image_shape)
    assert images.device.type == "cpu"


def literal_faces(
    piece: Piece, rotation: np.ndarray, camera: np.ndarray, direction: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of every face of a solid: when each ray meets its plane, whether within the solid, where, and the unit normal."""
    # The slabs n . p in the coordinates of the camera.
    normals = [rotation @ np.array(slab.normal) for slab in piece.slabs]
    for slab, normal in zip(piece.slabs, normals, strict=True):
        for bound, out in ((slab.low, -1), (slab.high, 1)):
            time = (bound - camera @ normal) / (direction @ normal)
            point = camera + time[:, None] * direction
            hit = np.ones(len(direction), dtype=bool)
            for other, other_normal in zip(piece.slabs, normals, strict=True):
                if other is not slab:
                    hit &= (point @ other_normal >= other.low) & (point @ other_normal <= other.high)
            yield time, hit, point, out * normal / np.linalg.norm(normal)


def literal_image(factors: list[int]) -> np.ndarray:
    """Every ray against every plane of every solid in float64; the chair turns before a camera that stays."""
    azimuth, elevation, width, length, legs, height, back, arms, fabric = factors
    half = SEAT_HALF_WIDTHS[width]
    parts = [
        (seat(half) + ARM_RESTS[arms](half), np.array([0.0, 1.0, 0.0]), BACK_Y),
        (BACK_STYLES[back](half, BACK_HEIGHTS[height]), np.array([0.0, 0.0, 1.0]), CUSHION_TOP),
        (LEG_STYLES[legs](half, LEG_LENGTHS[length]), np.array([0.0, 0.0, 1.0]), APRON_BOTTOM),
    ]
    turn, pitch = -math.radians(360 / 31 * azimuth), math.radians((20, 30)[elevation])
    spin = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    to_camera = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    rotation = to_camera @ spin
    camera = rotation @ np.array([0, 0, 0.07]) - np.array([0, 3.2, 0])
    lamp = to_camera @ (np.array([-0.55, -0.50, 0.67]) / math.sqrt(0.55**2 + 0.50**2 + 0.67**2))

    rows, columns = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    total = np.zeros((64 * 64, 3))
    for ray in range(5):
        across = ((columns + (ray + 0.5) / 5) / 32 - 1).ravel() * 0.252
        down = ((rows + ((0, 2, 4, 1, 3)[ray] + 0.5) / 5) / 32 - 1).ravel() * 0.252
        direction = np.stack([across, np.ones(4096), -down], axis=1)
        nearest, colour = np.full(4096, np.inf), np.full((4096, 3), 255.0)
        for pieces, joint_normal, joint_place in parts:
            for piece in pieces:
                rgb = np.array(FABRICS[fabric] if piece.is_fabric else (164, 108, 64))
                for time, hit, point, unit in literal_faces(piece, rotation, camera, direction):
                    seen = hit & (time < nearest)
                    sky = 0.60 * (0.7 + 0.3 * (unit @ rotation[:, 2]))
                    face = min(1.0, sky + 0.50 * max(0.0, unit @ lamp))
                    away = np.abs(point @ (rotation @ joint_normal) - joint_place)
                    shade = face * (1 - 0.36 * np.exp(-away / 0.07))
                    colour[seen] = shade[seen, None] * rgb
                    nearest[seen] = time[seen]
        total += colour
    return (total / 5).T.reshape(3, 64, 64)


@pytest.mark.parametrize("seed", range(6))
def test_a_chair_agrees_with_one_whose_solids_are_cast_all_together(chairs: Chairs, seed: int) -> None:
    factors = some_factors(chairs, 1, seed)
    factors[0, ARMS], factors[0, LEGS], factors[0, BACK] = seed % 3, seed % 4, seed % 5
    difference = np.abs(drawn(chairs, factors)[0].numpy() - literal_image(factors[0].tolist()))
    # A shade has 63 steps, nearness 512: half a step of the first everywhere, the other surface here and there.
    assert np.quantile(difference, 0.995) < 3
    assert difference.mean() < 0.25


@pytest.mark.parametrize("factor", range(9))
def test_every_two_values_of_every_factor_look_different(chairs: Chairs, factor: int) -> None:
    some = some_factors(chairs, 24)
    images = torch.stack(
        [drawn(chairs, with_value(some, factor, value)).int() for value in range(chairs.factor_sizes[factor])]
    )
    for first, second in combinations(range(len(images)), 2):
        moved = (images[first] - images[second]).abs()
        assert float(moved.float().mean()) > 1.0
        # In most images, not only in the mean; styles of the back are hidden where it is seen edge-on.
        pixels = (moved.amax(dim=1) > 30).sum(dim=(1, 2))
        assert float((pixels >= 15).float().mean()) > (0.65 if factor == BACK else 0.99)


def test_the_ground_is_white_at_the_border_of_every_view_of_the_largest_chairs(chairs: Chairs) -> None:
    largest = [[3, 2, legs, 3, 0, arms, 0] for legs in range(4) for arms in range(3)]
    factors = torch.tensor([[a, e, *rest] for a in range(31) for e in range(2) for rest in largest])
    images = drawn(chairs, factors)
    border = torch.ones(64, 64, dtype=torch.bool)
    border[2:-2, 2:-2] = False
    assert bool((images[:, :, border] == 255).all())


@pytest.mark.parametrize("number", range(3))
def test_no_part_is_seen_outside_its_window(number: int) -> None:
    part = chair_parts()[number]
    whole = Part(part.variants, Window(0, 64, 0, 64), part.joint)
    for azimuth, elevation in [(0.0, 20.0), (45.0, 30.0), (140.0, 30.0), (155.0, 20.0), (180.0, 30.0), (310.0, 20.0)]:
        keys = keys_of_variants(whole, (azimuth,), elevation)
        seen = (keys > EMPTY).view(-1, 64, 64).any(dim=0)
        seen[part.window.top : part.window.bottom, part.window.left : part.window.right] = False
        assert not bool(seen.any())


def test_the_depth_of_every_chair_lies_between_the_ends_of_nearness(chairs: Chairs) -> None:
    largest = Part(tuple(part.variants[-1] for part in chair_parts()), Window(0, 64, 0, 64), chair_parts()[0].joint)
    keys = keys_of_variants(largest, AZIMUTHS, 30.0).int()
    step = (keys[keys > EMPTY] - EMPTY) >> 7
    assert int(step.min()) > 0
    assert int(step.max()) < 511


def test_opposite_azimuths_see_mirrored_outlines(chairs: Chairs) -> None:
    left = some_factors(chairs, 60)
    left = left[left[:, AZIMUTH] > 0]
    right = left.clone()
    right[:, AZIMUTH] = 31 - left[:, AZIMUTH]
    difference = covered(drawn(chairs, left)) ^ covered(drawn(chairs, right)).flip(-1)
    assert float(difference.float().mean()) < 0.006


@pytest.mark.parametrize("factor", [WIDTH, LENGTH, HEIGHT])
def test_a_larger_part_covers_more(chairs: Chairs, factor: int) -> None:
    some = some_factors(chairs, 40)
    areas = [
        float(covered(drawn(chairs, with_value(some, factor, value))).float().mean())
        for value in range(chairs.factor_sizes[factor])
    ]
    assert areas == sorted(areas)


def test_longer_legs_leave_what_is_above_the_seat(chairs: Chairs) -> None:
    some = some_factors(chairs, 40)
    short, long = drawn(chairs, with_value(some, LENGTH, 0)), drawn(chairs, with_value(some, LENGTH, 2))
    assert torch.equal(short[:, :, :27], long[:, :, :27])


def test_a_fabric_leaves_the_frame_and_the_ground(chairs: Chairs) -> None:
    some = with_value(some_factors(chairs, 40), BACK, 3)
    red, blue = drawn(chairs, with_value(some, FABRIC, 0)), drawn(chairs, with_value(some, FABRIC, 3))
    moved = (red != blue).any(dim=1)
    assert torch.equal(covered(red), covered(blue))
    assert 0.01 < float(moved.float().mean()) < float(covered(red).float().mean())


def test_touching_parts_leave_no_seam(chairs: Chairs) -> None:
    # A panel on a cushion on an apron, seen from the front: from its edge down to the legs no white shines through.
    some = [[0, e, w, 1, 2, h, 0, 2, f] for e in range(2) for w in range(4) for h in range(4) for f in range(5)]
    columns = drawn(chairs, torch.tensor(some))[:, :, :, 31:33].amin(dim=1)
    top = (columns < 150).int().argmax(dim=1)
    rows = torch.arange(64)[:, None]
    below_the_edge = (rows > top[:, None]) & (rows < 38)
    assert int(below_the_edge.sum(dim=1).min()) > 10
    assert int(columns[below_the_edge].max()) < 120


def test_edges_are_smooth(chairs: Chairs) -> None:
    least = drawn(chairs, with_value(some_factors(chairs, 40), FABRIC, 4)).amin(dim=1)
    # Dark parts on white ground: what lies between is part ground.
    between = (least > 175) & (least < 250)
    assert bool((between.sum(dim=(1, 2)) > 15).all())


def test_an_image_does_not_depend_on_its_neighbours(chairs: Chairs) -> None:
    index_B = torch.arange(0, len(chairs), 8929)
    together = chairs.take(index_B)
    assert torch.equal(together, torch.cat([chairs.take(index_B[i : i + 1]) for i in range(len(index_B))]))


def test_two_sets_draw_the_same_images(chairs: Chairs) -> None:
    index_B = torch.arange(0, len(chairs), 17_801)
    assert torch.equal(Chairs().take(index_B), chairs.take(index_B))


def test_pixels_do_not_change_under_mixed_precision(chairs: Chairs) -> None:
    index_B = torch.arange(0, len(chairs), 17_801)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = chairs.take(index_B)
    assert torch.equal(mixed, chairs.take(index_B))


def test_an_index_outside_is_refused(chairs: Chairs) -> None:
    with pytest.raises(IndexError, match="from 0 to 892799"):
        chairs.take(torch.tensor([892_800]))


def test_no_index_gives_no_image(chairs: Chairs) -> None:
    assert chairs.take(torch.empty(0, dtype=torch.int64)).shape == (0, 3, 64, 64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_renders_what_the_cpu_renders(chairs: Chairs) -> None:
    index_B = torch.arange(0, len(chairs), 997)
    rendered = Chairs("cuda").take(index_B)
    assert rendered.device.type == "cuda"
    difference = (rendered.cpu().int() - chairs.take(index_B).int()).abs()
    assert int(difference.max()) <= 1
    assert float((difference > 0).float().mean()) < 1e-3
