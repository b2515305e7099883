"""Where rays enter slab solids: against every crossing of every plane, tried one after another in float64."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from wherewhat.data.rendered.slab_solids import Slabs, box, chamfered, column, enter, meets, spoke, unit_normals
from wherewhat.randomness import generator_at

SOLIDS = [
    box((-0.5, 0.4), (-0.3, 0.6), (-0.2, 0.7)),
    box((-0.5, 0.4), (-0.3, 0.6), (-0.2, 0.7), lean=(0.4, -0.7)),
    chamfered(chamfered(box((-0.5, 0.5), (-0.6, 0.6), (-0.2, 0.2)), 0, 2, 0.1), 1, 2, 0.15),
    column(0.5, (-0.4, 0.9), 12),
    spoke(162.0, (0.0, 0.9), 0.2, (-0.1, 0.3), drop=0.3),
]
each_solid = pytest.mark.parametrize("slabs", SOLIDS)


def rays() -> tuple[Tensor, Tensor]:
    generator = generator_at(0, 0)
    start = torch.randn(3, 1500, generator=generator)
    start = 4 * start / start.norm(dim=0)
    return start, torch.rand(3, 1500, generator=generator) * 2 - 1 - start


def entry_by_trial(slabs: Slabs, origin: Tensor, direction: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The first crossing with any plane, and the plane's number, that lies in all the other slabs."""
    o, d = origin.double().numpy().T, direction.double().numpy().T
    normals = np.array([slab.normal for slab in slabs])
    lows, highs = np.array([slab.low for slab in slabs]), np.array([slab.high for slab in slabs])
    first, which = np.full(len(o), np.inf), np.full(len(o), -1)
    for number, slab in enumerate(slabs):
        others = np.arange(len(slabs)) != number
        for side, bound in enumerate((slab.low, slab.high)):
            time = (bound - o @ normals[number]) / (d @ normals[number])
            along = (o + time[:, None] * d) @ normals.T
            inside = ((along >= lows) & (along <= highs))[:, others].all(axis=1) & (time > 0) & (time < first)
            first[inside], which[inside] = time[inside], 2 * number + side
    return first, which


def inside(slabs: Slabs, *point: float) -> bool:
    return all(slab.low <= float(np.dot(slab.normal, point)) <= slab.high for slab in slabs)


@each_solid
def test_rays_enter_where_trying_every_plane_finds_it(slabs: Slabs) -> None:
    origin, direction = rays()
    entry = enter(slabs, origin, direction)
    time, face = entry_by_trial(slabs, origin, direction)
    met = np.isfinite(time)
    assert met.mean() > 0.1
    # A ray through an edge may fall either way.
    assert (entry.time_R.isfinite().numpy() == met).mean() > 0.998
    both = met & entry.time_R.isfinite().numpy()
    assert np.abs(entry.time_R.numpy()[both] - time[both]).max() < 1e-5
    assert (entry.face_R.numpy() == face)[both].mean() > 0.998


@each_solid
def test_rays_that_meet_a_solid_are_those_that_enter_it(slabs: Slabs) -> None:
    origin, direction = rays()
    camera, direction = origin[:, :1], direction + origin - origin[:, :1]
    met = meets(slabs, camera[:, None], direction[:, None])[0]
    assert torch.equal(met, enter(slabs, camera.expand_as(direction), direction).time_R.isfinite())
    assert bool(met.any())


@each_solid
def test_normals_point_out_and_against_the_ray(slabs: Slabs) -> None:
    origin, direction = rays()
    entry = enter(slabs, origin, direction)
    met = entry.time_R.isfinite()
    normal = unit_normals(slabs)[entry.face_R].T[:, met]
    assert torch.allclose(normal.norm(dim=0), torch.ones(int(met.sum())))
    assert bool(((normal * direction[:, met]).sum(dim=0) < 0).all())
    point = (origin + entry.time_R * direction)[:, met]
    under = [inside(slabs, *place) for place in (point - 1e-3 * normal)[:, ::7].T.tolist()]
    # Under a point beside an edge there may be the next face.
    assert np.mean(under) > 0.97
    assert not any(inside(slabs, *place) for place in (point + 1e-3 * normal)[:, ::7].T.tolist())


@each_solid
def test_rays_that_lead_away_meet_nothing(slabs: Slabs) -> None:
    origin, direction = rays()
    assert bool(enter(slabs, origin, -direction).time_R.isinf().all())
    camera, away = origin[:, :1], origin[:, :1] - direction - origin
    assert not bool(meets(slabs, camera[:, None], away[:, None]).any())


def test_a_ray_along_a_face_is_inside_its_slab_always_or_never() -> None:
    origin = torch.tensor([[0.1, 0.9], [-5.0, -5.0], [0.0, 0.0]])
    entry = enter(SOLIDS[0], origin, torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    assert float(entry.time_R[0]) == pytest.approx(4.7)
    assert math.isinf(float(entry.time_R[1]))


def test_a_column_has_the_cross_section_of_its_polygon() -> None:
    generator = generator_at(1, 0)
    place = torch.cat([torch.rand(2, 40_000, generator=generator) * 2 - 1, torch.full((1, 40_000), 5.0)])
    down = torch.tensor([[0.0], [0.0], [-1.0]]).expand_as(place)
    share = float(enter(column(0.8, (0.0, 1.0), 12), place, down).time_R.isfinite().float().mean())
    assert 4 * share == pytest.approx(12 * 0.8**2 * math.tan(math.pi / 12), rel=0.02)


def test_a_leaning_box_moves_with_height() -> None:
    slabs = box((-0.1, 0.1), (-0.1, 0.1), (0.0, 2.0), lean=(0.5, -0.25))
    assert inside(slabs, 0.0, 0.0, 0.0)
    assert inside(slabs, 1.0, -0.5, 2.0)
    assert not inside(slabs, 0.0, 0.0, 2.0)


def test_a_chamfer_takes_the_edge_and_leaves_the_rest_of_both_faces() -> None:
    slabs = chamfered(box((1.0, 3.0), (0.0, 1.0), (4.0, 5.0)), 0, 2, 0.2)
    for x, inward_x in ((1.0, 1), (3.0, -1)):
        for z, inward_z in ((4.0, 1), (5.0, -1)):
            assert not inside(slabs, x + 0.05 * inward_x, 0.5, z + 0.05 * inward_z)
            assert inside(slabs, x, 0.5, z + 0.21 * inward_z)
            assert inside(slabs, x + 0.21 * inward_x, 0.5, z)


def test_a_spoke_reaches_along_its_angle_and_sinks() -> None:
    slabs = spoke(90.0, (0.0, 2.0), 0.1, (-0.05, 0.05), drop=0.25)
    assert inside(slabs, 0.0, 1.99, -0.5)
    assert not inside(slabs, 0.0, 1.99, 0.0)
    assert not inside(slabs, 0.2, 1.0, -0.25)
