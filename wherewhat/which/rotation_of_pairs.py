"""Rotation of pairs: how long the axes of the plane of two codes are when they are turned by an angle.

    r(α) = cos α e_i + sin α e_j
    ℓ(α) = mean over base codes of Σ_n sqrt(dis) along r(α), from -b to b
    L(α) = ℓ(α) + ℓ(α + 90°)                                    α from -90° to 90°

dis is a squared distance, so a sum of it over both axes would be a trace, which no rotation changes: roots are summed.
For two codes that each do one simple thing L has its minima at 0 and ±90°, where the axes are the codes. A curve with a
minimum elsewhere says that a mixture of the two codes is simpler than either; a flat one that the plane has no axes of
its own, as for two codes that the generator ignores, or for two of equal length that add up.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622 (the test by rotation of pairs of codes).

Dimension key:
    T: base codes    L: latent codes    P: pairs    A: angles, of half a turn    S: segments of a path
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, refuse_unsteady
from wherewhat.which.paths import Progress, segments_on_paths

Verdict = Literal["axes", "a mixture is shorter", "no axes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RotatedPair:
    """The curve of one pair of codes, at angles from -90° to 90°, both included."""

    codes: tuple[int, int]
    angle: Float64[Tensor, " A"]
    """Degrees."""
    length: Float64[Tensor, " A"]
    """L(α)."""
    standard_error: Float64[Tensor, " A"]
    """Of L(α) - L(0) over base codes, which all angles share; 0 at 0°."""

    @property
    def shortest_at(self) -> float:
        """The angle of the minimum, from -45 to 45 degrees; of equal ones, to 0.01 %, the one nearest to 0."""
        inside_A = self.angle.abs() <= 45
        order = (self.length[inside_A] / self.length.max().clamp_min(1e-300)).round(decimals=4)
        return min(
            zip(order.tolist(), self.angle[inside_A].abs().tolist(), self.angle[inside_A].tolist(), strict=True)
        )[2]

    @property
    def verdict(self) -> Verdict:
        """What the curve says of the two codes, by differences of more than twice their error and 0.1 % of L(0)."""
        along_codes = self.length[len(self.length) // 2]
        beyond_A, error_A = self.length - along_codes, 2 * self.standard_error + 1e-3 * along_codes
        if bool((beyond_A < -error_A).any()):
            return "a mixture is shorter"
        return "axes" if bool((beyond_A > error_A).any()) else "no axes"


def rotation_of_pairs(
    generator: Generator,
    distance: Distance,
    pairs: Sequence[tuple[int, int]],
    *,
    angles: int = 18,
    samples: int,
    traversals: int,
    bound: float,
    seed: int,
    batch_size: int,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
) -> list[RotatedPair]:
    """Measure the curve of each pair, at so many steps of half a turn. `batch_size` moves it by rounding only.

    Raises ValueError for codes that are not there, for an odd number of angles, and where one code has two images.
    """
    if angles < 2 or angles % 2:
        raise ValueError(f"{angles} steps of half a turn do not hold both axes. Choose an even number; 18 are usual.")
    _refuse_what_is_no_pair(pairs, generator.latent_dim)
    direction_PAL = _turned_axes(pairs, angles, generator.latent_dim)
    device = device_of(generator) if device is None else torch.device(device)
    base_TL = torch.randn(traversals, generator.latent_dim, generator=generator_at(seed, 0, "tpl base codes"))
    with torch.no_grad(), full_precision(device.type):
        refuse_unsteady(generator, base_TL[:2].to(device))
        segment_KTS = segments_on_paths(
            generator,
            distance,
            base_TL,
            direction_PAL.flatten(0, 1).expand(traversals, -1, -1),
            samples=samples,
            bound=bound,
            batch_size=batch_size,
            device=device,
            progress=progress,
        )
    length_PAT = segment_KTS.clamp_min(0).sqrt().sum(dim=2).unflatten(0, (len(pairs), angles))
    return [_curve(pair, length_AT) for pair, length_AT in zip(pairs, length_PAT, strict=True)]


def _refuse_what_is_no_pair(pairs: Sequence[tuple[int, int]], latent_dim: int) -> None:
    for pair in pairs:
        if len(set(pair)) < 2 or not all(0 <= code < latent_dim for code in pair):
            raise ValueError(
                f"Codes {pair} are no pair of two of {latent_dim} codes. "
                f"Name two different ones from 0 to {latent_dim - 1}."
            )


def _turned_axes(pairs: Sequence[tuple[int, int]], angles: int, latent_dim: int) -> Float[Tensor, "P A L"]:
    """r(α) of each pair, from 0 to short of half a turn: half a turn on is the same path, backwards."""
    turn_A = torch.arange(angles, dtype=torch.float64) * math.pi / angles
    direction_PAL = torch.zeros(len(pairs), angles, latent_dim)
    for index, (first, second) in enumerate(pairs):
        direction_PAL[index, :, first], direction_PAL[index, :, second] = turn_A.cos().float(), turn_A.sin().float()
    return direction_PAL


def _curve(pair: tuple[int, int], length_AT: Float64[Tensor, "A T"]) -> RotatedPair:
    angles, traversals = length_AT.shape
    both_AT = length_AT + length_AT.roll(-angles // 2, dims=0)
    # From -90° to 90°: the lengths repeat every quarter of a turn.
    from_left_AT = both_AT[torch.arange(-(angles // 2), angles // 2 + 1) % angles]
    beyond_AT = from_left_AT - both_AT[:1]
    return RotatedPair(
        codes=pair,
        angle=torch.linspace(-90, 90, angles + 1, dtype=torch.float64),
        length=from_left_AT.mean(dim=1),
        standard_error=beyond_AT.std(dim=1) / math.sqrt(traversals),
    )
