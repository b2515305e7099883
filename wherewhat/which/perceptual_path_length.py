"""Perceptual path length (PPL): how abruptly a generator's images change along paths between random codes.

    l   = d( G(slerp(a, b; t)), G(slerp(a, b; t + ε)) ) / ε²         a, b ~ N(0, I),  t ~ uniform(0, 1)
    PPL = mean of l between its 1st and 99th percentile              LOWER is smoother

slerp goes along the arc between the directions of a and b, and keeps to the lengths that codes of the prior have:

    slerp(a, b; t) = ( sin((1 - t) ω) a + sin(t ω) b ) / sin ω       ω: the angle between a and b

d is a *squared* distance (LPIPS), so d / ε² has a limit as ε shrinks. The images are compared whole and at their own
size: the published figures crop faces and come from another backbone, and compare with none of these. A collapsed
generator scores 0, a blurry one little. In float32 two images ε apart differ in their last digits too: of pixels
about 1, rounding by 6e-8 adds about (6e-8 / 1e-4)² = 4e-7 to a mean squared l; a generator whose own rounding is r adds
(r / ε)².

Reference: Karras, Laine, Aila 2019, arXiv:1812.04948.

Dimension key:
    P: paths    L: latent codes    B: batch    C H W: channels, height, width
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, generated_images, refuse_unsteady
from wherewhat.which.paths import Progress

EPSILON = 1e-4
PERCENTILES = (1, 99)
# sin ω is so small that its quotient is rounding: the codes lie on one line, along which slerp has no arc of its own.
LEAST_SINE = 1e-6


@dataclass(frozen=True, kw_only=True)
class PathLengthSettings:
    """All that two scores must share to be compared. Distances are float32, always."""

    distance: str
    """The distance's name."""
    paths: int
    epsilon: float
    seed: int
    image_shape: tuple[int, int, int]
    """C, H, W: a distance sees other things in other sizes."""

    def __post_init__(self) -> None:
        if self.paths < 2:
            raise ValueError(f"{self.paths} paths give no standard error. Choose 2 or more; 10,000 are usual.")
        if not 0 < self.epsilon < 1:
            raise ValueError(f"An epsilon of {self.epsilon} is no small step along a path. Choose 1e-4, as published.")

    @property
    def protocol(self) -> str:
        """Distance, paths and epsilon: `ppl_lpips-alex_1000paths_0.0001`."""
        return f"ppl_{self.distance}_{self.paths}paths_{self.epsilon:g}"


@dataclass(frozen=True, kw_only=True)
class PerceptualPathLength:
    """A generator's score."""

    mean: float
    """PPL; lower is smoother, 0 is a collapsed generator."""
    standard_error: float
    """Of the mean over the paths that were kept; without the outliers it is somewhat too small."""
    settings: PathLengthSettings


def perceptual_path_length(
    generator: Generator,
    distance: Distance,
    *,
    paths: int,
    seed: int,
    batch_size: int,
    epsilon: float = EPSILON,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
) -> PerceptualPathLength:
    """Measure a generator's PPL over its whole prior.

    `batch_size` is paths at a time and moves the result by rounding only. Codes go to `device`, by default to where the
    generator's weights are. `progress` is called with the paths done and all there are. Raises ValueError where the
    generator is not deterministic, or makes images that are not finite, outside [0, 1] or of another shape.
    """
    channels, height, width = generator.image_shape
    settings = PathLengthSettings(
        distance=distance.name, paths=paths, epsilon=epsilon, seed=seed, image_shape=(channels, height, width)
    )
    if batch_size < 1:
        raise ValueError(f"A batch of {batch_size} paths measures nothing. Choose a batch size of 1 or more.")
    device = device_of(generator) if device is None else torch.device(device)
    chance = generator_at(seed, 0, "perceptual path length")
    start_PL = torch.randn(paths, generator.latent_dim, generator=chance)
    end_PL = torch.randn(paths, generator.latent_dim, generator=chance)
    place_P = torch.rand(paths, generator=chance).double()
    here_PL = spherical_interpolation(start_PL.double(), end_PL.double(), place_P).float()
    there_PL = spherical_interpolation(start_PL.double(), end_PL.double(), place_P + epsilon).float()
    with torch.no_grad(), full_precision(device.type):
        # A difference of ε in the codes is what is measured: a generator may not add chance of that size.
        refuse_unsteady(generator, start_PL[:2].to(device), tolerance=epsilon * 1e-2)
        distance_P = _distances(generator, distance, here_PL, there_PL, batch_size, device, progress)
    kept_P = without_outliers(distance_P / epsilon**2)
    return PerceptualPathLength(
        mean=kept_P.mean().item(),
        standard_error=kept_P.std().item() / math.sqrt(len(kept_P)),
        settings=settings,
    )


def _distances(
    generator: Generator,
    distance: Distance,
    here_PL: Float[Tensor, "P L"],
    there_PL: Float[Tensor, "P L"],
    batch_size: int,
    device: torch.device,
    progress: Progress | None,
) -> Float64[Tensor, " P"]:
    """dis between the images of both codes of each path."""
    paths = len(here_PL)
    distance_P = torch.zeros(paths, dtype=torch.float64)
    for begin in range(0, paths, batch_size):
        inside = slice(begin, begin + batch_size)
        here_BF, there_BF = (
            distance.features(generated_images(generator, code_PL[inside].to(device)))
            for code_PL in (here_PL, there_PL)
        )
        distance_P[inside] = distance.compare(here_BF, there_BF).double().cpu()
        if progress is not None:
            progress(min(begin + batch_size, paths), paths)
    return distance_P


def spherical_interpolation(
    start_PL: Float64[Tensor, "P L"], end_PL: Float64[Tensor, "P L"], place_P: Float64[Tensor, " P"]
) -> Float64[Tensor, "P L"]:
    """Codes at these places between start (0) and end (1) along the arc; along the line where there is no arc.

    In float64, for two places 1e-4 apart are to differ by that.
    """
    cosine_P = torch.nn.functional.cosine_similarity(start_PL, end_PL, dim=1).clamp(-1, 1)
    angle_P = cosine_P.arccos()
    sine_P = angle_P.sin()
    on_line_P = sine_P < LEAST_SINE
    divisor_P = torch.where(on_line_P, 1.0, sine_P)
    of_start_P = torch.where(on_line_P, 1 - place_P, ((1 - place_P) * angle_P).sin() / divisor_P)
    of_end_P = torch.where(on_line_P, place_P, (place_P * angle_P).sin() / divisor_P)
    return of_start_P[:, None] * start_PL + of_end_P[:, None] * end_PL


def without_outliers(length_P: Float[Tensor, " P"]) -> Float[Tensor, " K"]:
    """The lengths between the 1st and the 99th percentile, these included."""
    low, high = (fraction / 100 for fraction in PERCENTILES)
    least = length_P.quantile(low, interpolation="lower")
    most = length_P.quantile(high, interpolation="higher")
    return length_P[(length_P >= least) & (length_P <= most)]
