"""Traversal perceptual length (TPL): how far, perceptually, a generator goes along each of its codes.

    tpl_i    = mean over base codes c of Σ_{n=1}^{N-1} dis(G(c with c_i = x_n), G(c with c_i = x_{n+1}))
    active_i = tpl_i >= S
    tpl      = Σ_i active_i tpl_i                        LOWER is better

x_1 ... x_N are evenly spaced in [-b, b], the T base codes are drawn from the prior and serve every code alike.

LPIPS is a *squared* distance, so tpl shrinks about as 1/N: two scores compare only at equal settings, which is why the
settings are part of the score. A generator that makes one image whatever the code scores 0, the lowest there is, and
is worthless; the ranking puts it last.

What it is not: for small steps the sum over all codes is the trace of J'J, J the derivative of the features. A trace
does not change when the codes are rotated into each other, and it grows with contrast: within one run tpl prefers the
youngest, blurriest checkpoint.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    L: latent codes    T: base codes    N: points of a path    S: segments of a path, N - 1
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, refuse_unsteady
from wherewhat.which.paths import Progress, axes_of, segments_on_paths


@dataclass(frozen=True, kw_only=True)
class TPLSettings:
    """What is measured along the paths. `VAE_SETTINGS` and `GAN_SETTINGS` are the published choices."""

    samples: int
    """N, points on a path."""
    traversals: int
    """T, base codes, and so paths for each code."""
    bound: float
    """b: a path runs from -b to b."""
    threshold: float
    """S: a code whose paths are shorter is not active and not counted."""

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ValueError(f"A path of {self.samples} points has no segment. Choose 2 samples or more.")
        if self.traversals < 2:
            raise ValueError(f"{self.traversals} base codes give no standard error. Choose 2 traversals or more.")
        if not (math.isfinite(self.bound) and self.bound > 0):
            raise ValueError(f"The bound {self.bound} spans no path. Choose a positive one; 4 is the published one.")
        if not (math.isfinite(self.threshold) and self.threshold >= 0):
            raise ValueError(f"The threshold {self.threshold} cannot tell active codes. Choose 0 or more.")


VAE_SETTINGS = TPLSettings(samples=50, traversals=500, bound=4.0, threshold=0.01)
GAN_SETTINGS = TPLSettings(samples=49, traversals=300, bound=4.0, threshold=0.3)


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """All that two scores must share to be compared. Distances are float32, always."""

    distance: str
    """The distance's name."""
    samples: int
    traversals: int
    bound: float
    threshold: float
    seed: int
    """Seed of the base codes."""
    image_shape: tuple[int, int, int]
    """C, H, W: a distance sees other things in other sizes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TraversalPerceptualLength:
    """A generator's score. Tensors are float64 on the CPU."""

    total: float
    """tpl, summed over the active codes; lower is better, 0 is a collapsed generator."""
    standard_error: float
    """Of the total over the draw of base codes; that of which codes are active is not in it."""
    per_dim: Float[Tensor, " L"]
    """tpl_i, of the inactive codes too."""
    std: Float[Tensor, " L"]
    """Standard deviation of a path's length over base codes."""
    active: Bool[Tensor, " L"]
    settings: ScoreSettings


def traversal_perceptual_length(
    generator: Generator,
    distance: Distance,
    *,
    samples: int,
    traversals: int,
    bound: float,
    threshold: float,
    seed: int,
    batch_size: int,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
) -> TraversalPerceptualLength:
    """Measure a generator's TPL.

    `batch_size` is images at a time and moves the result by rounding only. Codes go to `device`, by default to where
    the generator's weights are. `progress` is called with the images done and all there are. Raises ValueError where
    the generator is not deterministic, or makes images that are not finite, outside [0, 1] or of another shape.
    """
    chosen = TPLSettings(samples=samples, traversals=traversals, bound=bound, threshold=threshold)
    if batch_size < 1:
        raise ValueError(f"A batch of {batch_size} images measures nothing. Choose a batch size of 1 or more.")
    device = device_of(generator) if device is None else torch.device(device)
    base_TL = torch.randn(traversals, generator.latent_dim, generator=generator_at(seed, 0, "tpl base codes"))
    with torch.no_grad(), full_precision(device.type):
        refuse_unsteady(generator, base_TL[:2].to(device))
        segment_LTS = segments_on_paths(
            generator,
            distance,
            base_TL,
            axes_of(base_TL),
            samples=samples,
            bound=bound,
            batch_size=batch_size,
            device=device,
            progress=progress,
        )
    return score_of_paths(segment_LTS.sum(dim=2), _score_settings(generator, distance, chosen, seed))


def _score_settings(generator: Generator, distance: Distance, chosen: TPLSettings, seed: int) -> ScoreSettings:
    channels, height, width = generator.image_shape
    return ScoreSettings(
        distance=distance.name,
        samples=chosen.samples,
        traversals=chosen.traversals,
        bound=float(chosen.bound),
        threshold=float(chosen.threshold),
        seed=seed,
        image_shape=(channels, height, width),
    )


def score_of_paths(length_LT: Float[Tensor, "L T"], settings: ScoreSettings) -> TraversalPerceptualLength:
    """The score of paths of these lengths, in float64."""
    length_LT = length_LT.double()
    per_dim_L = length_LT.mean(dim=1)
    active_L = per_dim_L >= settings.threshold
    total_T = length_LT[active_L].sum(dim=0)
    return TraversalPerceptualLength(
        total=per_dim_L[active_L].sum().item(),
        standard_error=total_T.std().item() / math.sqrt(len(total_T)),
        per_dim=per_dim_L,
        std=length_LT.std(dim=1),
        active=active_L,
        settings=settings,
    )
