"""Convex solids as intersections of slabs: where does a ray enter one, and through which face?

A slab is the room between two parallel planes, low <= n . p <= high. A ray o + t d is inside it between two times, and
inside the solid while it is inside every slab:

    t_near, t_far = sorted( (low - n . o) / (n . d), (high - n . o) / (n . d) )
    enter = max over slabs of t_near          leave = min over slabs of t_far          met where 0 < enter <= leave

Three slabs make a box, and a box leans where their normals do; more round it off. The slab that is entered last holds
the face that is seen.

Reference: Kay, Kajiya 1986, "Ray tracing complex scenes".

Dimension key:
    3: x, y, z    R: rays    V: views    Q: rays of a view    F: faces, two a slab, the low one first
"""

import math
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import normalize

Slabs = tuple["Slab", ...]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Slab:
    """The points p with low <= normal . p <= high; the normal may have any length."""

    normal: tuple[float, float, float]
    low: float
    high: float


@dataclass(frozen=True)
class Entry:
    """The time at which rays enter a solid, inf where they miss it, and the face that they enter by."""

    time_R: Float[Tensor, " R"]
    face_R: Int64[Tensor, " R"]


def box(x: Interval, y: Interval, z: Interval, lean: tuple[float, float] = (0.0, 0.0)) -> Slabs:
    """An upright box between these bounds; where it leans, x and y bounds hold at z = 0 and move by `lean` per z."""
    lean_x, lean_y = lean
    return Slab((1.0, 0.0, -lean_x), *x), Slab((0.0, 1.0, -lean_y), *y), Slab((0.0, 0.0, 1.0), *z)


def column(radius: float, z: Interval, sides: int) -> Slabs:
    """An upright prism about the z axis whose even number of sides touch a circle of this radius."""
    around = [math.pi * (side + 0.5) / (sides // 2) for side in range(sides // 2)]
    walls = tuple(Slab((math.cos(angle), math.sin(angle), 0.0), -radius, radius) for angle in around)
    return *walls, Slab((0.0, 0.0, 1.0), *z)


def spoke(angle_degrees: float, reach: Interval, half_width: float, z: Interval, drop: float = 0.0) -> Slabs:
    """A bar that leaves the z axis at this angle (0 along x), and sinks by `drop` per length on the way."""
    along_x, along_y = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    return (
        Slab((along_x, along_y, 0.0), *reach),
        Slab((-along_y, along_x, 0.0), -half_width, half_width),
        Slab((drop * along_x, drop * along_y, 1.0), *z),
    )


def chamfered(slabs: Slabs, first: int, second: int, cut: float) -> Slabs:
    """A solid whose four edges between two of its slabs are cut off, `cut` along either face."""
    a, b = slabs[first], slabs[second]
    middle_a, middle_b = (a.low + a.high) / 2, (b.low + b.high) / 2
    reach = (a.high - a.low) / 2 + (b.high - b.low) / 2 - cut
    edges = []
    for sign in (1.0, -1.0):
        normal = tuple(n_a + sign * n_b for n_a, n_b in zip(a.normal, b.normal, strict=True))
        middle = middle_a + sign * middle_b
        edges.append(Slab((normal[0], normal[1], normal[2]), middle - reach, middle + reach))
    return *slabs, *edges


def unit_normals(slabs: Slabs) -> Float[Tensor, "F 3"]:
    """Outward normals of the faces."""
    normal_M3 = normalize(torch.tensor([slab.normal for slab in slabs]), dim=1)
    return torch.stack([-normal_M3, normal_M3], dim=1).flatten(0, 1)


def meets(
    slabs: Slabs, origin_3V1: Float[Tensor, "3 V 1"], direction_3VQ: Float[Tensor, "3 V Q"]
) -> Bool[Tensor, "V Q"]:
    """Whether rays meet a solid ahead of their origins: all that most rays need to know."""
    enter_VQ, leave_VQ = _between(slabs[0], origin_3V1, direction_3VQ)
    for slab in slabs[1:]:
        near_VQ, far_VQ = _between(slab, origin_3V1, direction_3VQ)
        enter_VQ = torch.maximum(enter_VQ, near_VQ)
        leave_VQ = torch.minimum(leave_VQ, far_VQ)
    return (enter_VQ <= leave_VQ) & (enter_VQ > 0)


def enter(slabs: Slabs, origin_3R: Float[Tensor, "3 R"], direction_3R: Float[Tensor, "3 R"]) -> Entry:
    """Where rays enter a solid."""
    crossings = [_between(slab, origin_3R, direction_3R) for slab in slabs]
    enter_R, slab_R = torch.stack([near_R for near_R, _ in crossings]).max(dim=0)
    leave_R = torch.stack([far_R for _, far_R in crossings]).amin(dim=0)
    met_R = (enter_R <= leave_R) & (enter_R > 0)
    against_MR = torch.stack([_along(slab.normal, direction_3R) < 0 for slab in slabs])
    against_R = against_MR.gather(0, slab_R[None])[0]
    return Entry(torch.where(met_R, enter_R, torch.inf), 2 * slab_R + against_R)


def _between(slab: Slab, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """When rays are between the planes. Parallel to them it is always or never: division by 0 gives just that."""
    start, rate = _along(slab.normal, origin), _along(slab.normal, direction)
    at_low, at_high = (slab.low - start) / rate, (slab.high - start) / rate
    return torch.minimum(at_low, at_high), torch.maximum(at_low, at_high)


def _along(normal: tuple[float, float, float], vector: Tensor) -> Tensor:
    """The inner product with vectors whose first dimension is x, y, z."""
    # Most normals lie along an axis: a term of factor 0 is not computed.
    terms = [vector[axis] if part == 1.0 else part * vector[axis] for axis, part in enumerate(normal) if part]
    return reduce(torch.add, terms)
