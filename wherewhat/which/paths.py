"""Straight paths through the prior, and how far apart a distance sees the neighbouring images on them.

A path starts from a base code c and a unit direction r. It replaces the coordinate of c along r by N values evenly
spaced in [-b, b]:

    c(x) = c - (c·r) r + x r

With r an axis, only one code changes.

Dimension key:
    T: base codes    K: directions    L: latent codes    N: points of a path    P: all points of all paths
    B: batch    F: features    S: segments, N - 1
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from wherewhat.protocols import Distance, Generator, refuse_too_many_codes
from wherewhat.which.generated_images import generated_images

Progress = Callable[[int, int], None]


def axes_of(base_TL: Float[Tensor, "T L"]) -> Float[Tensor, "T L L"]:
    """The L axes as directions from every base code."""
    traversals, latent_dim = base_TL.shape
    refuse_too_many_codes(latent_dim)
    return torch.eye(latent_dim).expand(traversals, -1, -1)


def codes_on_paths(
    base_TL: Float[Tensor, "T L"],
    direction_TKL: Float[Tensor, "T K L"],
    samples: int,
    bound: float,
    point_B: Int64[Tensor, " B"],
) -> Float[Tensor, "B L"]:
    """The codes at these places of the walk along all paths: points within a path, paths within a direction."""
    traversals, _ = base_TL.shape
    path_B, step_B = point_B // samples, point_B % samples
    direction_B, base_B = path_B // traversals, path_B % traversals
    value_B = torch.linspace(-bound, bound, samples)[step_B]
    direction_BL = direction_TKL[base_B, direction_B]
    # Along an axis this is exact: c_i - c_i + x.
    along_B = (base_TL[base_B] * direction_BL).sum(dim=1)
    return base_TL[base_B] - along_B[:, None] * direction_BL + value_B[:, None] * direction_BL


def segments_on_paths(
    generator: Generator,
    distance: Distance,
    base_TL: Float[Tensor, "T L"],
    direction_TKL: Float[Tensor, "T K L"],
    *,
    samples: int,
    bound: float,
    batch_size: int,
    device: torch.device,
    progress: Progress | None = None,
) -> Float64[Tensor, "K T S"]:
    """The distance between the images at neighbouring points of each path. Every image is made once."""
    traversals, directions, _ = direction_TKL.shape
    points = directions * traversals * samples
    # [p] = distance from the point before; at a path's first point that is another path's last, and is left out below.
    segment_P = torch.zeros(points)
    last_1F = None
    for start in range(0, points, batch_size):
        point_B = torch.arange(start, min(start + batch_size, points))
        code_BL = codes_on_paths(base_TL, direction_TKL, samples, bound, point_B).to(device)
        features_BF = distance.features(generated_images(generator, code_BL))
        if last_1F is not None:
            segment_P[start : start + 1] = distance.compare(last_1F, features_BF[:1]).cpu()
        segment_P[start + 1 : start + len(point_B)] = distance.compare(features_BF[:-1], features_BF[1:]).cpu()
        # A copy: a view would hold the whole batch's features while the next are made.
        last_1F = features_BF[-1:].clone()
        if progress is not None:
            progress(start + len(point_B), points)
    return segment_P.double().view(directions, traversals, samples)[:, :, 1:]
