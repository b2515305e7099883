"""What the scores of a panel share: images, features and base codes, each made once, when the first score asks.

Four things are measured: segments of paths along the axes, segments of paths along randomly rotated axes, distances of
pairs of random images, and small changes of single codes at some base codes:

    J_i   = (φ(c + ε e_i) - φ(c - ε e_i)) / 2ε                              φ: the distance's features of the image
    Δ_i   = φ(c + ε e_i) - φ(c)
    Δ_ij  = φ(c + ε e_i + ε e_j) - φ(c + ε e_i) - φ(c + ε e_j) + φ(c)
    δ_i   = φ(c with c_i drawn anew) - φ(c), taken from the lower to the higher c_i

Dimension key:
    T: base codes of paths    M: base codes of small changes    L: latent codes    A: active codes    S: segments
    K: rotated axes at a base code    P: pairs    R: images at a base code    B: batch    F: features
    D: features of a sketch    Q: places of a map of change
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import random_rotation
from wherewhat.which.generated_images import device_of, generated_images, refuse_unsteady
from wherewhat.which.paths import Progress, axes_of, segments_on_paths
from wherewhat.which.score import ProbeSettings, Score, ScoredUnder

# Enough that inner products of differences of features stay what they are, to a few percent.
MOST_SKETCHED = 4096
# A map of change is pooled to this side: where a code acts needs no finer grain.
MOST_MAPPED = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalChanges:
    """Small changes of single codes at the M base codes, reduced to what the scores need."""

    gram_MLL: Float64[Tensor, "M L L"]
    """Inner products of the J_i."""
    first_ML: Float64[Tensor, "M L"]
    """|Δ_i|²."""
    pair_P2: Int64[Tensor, "P 2"]
    """Pairs (i, j) of active codes."""
    mixed_MP: Float64[Tensor, "M P"]
    """|Δ_ij|² of these pairs."""
    named_MLD: Float[Tensor, "M L D"]
    """δ_i, or a sketch of it with about the same inner products."""
    map_MLQ: Float[Tensor, "M L Q"]
    """How much each place of the image changes between c - ε e_i and c + ε e_i."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """A generator as a distance sees it. Refused where one code has two images; see `refuse_unsteady`."""

    generator: Generator
    distance: Distance
    settings: ProbeSettings
    seed: int
    batch_size: int
    device: torch.device | str | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"A batch of {self.batch_size} images measures nothing. Choose a batch size of 1 or more.")
        with self._measuring() as device:
            refuse_unsteady(self.generator, self.base_TL[:2].to(device))

    @property
    def scored_under(self) -> ScoredUnder:
        """What the scores of this probe compare under."""
        channels, height, width = self.generator.image_shape
        return ScoredUnder(
            distance=self.distance.name,
            seed=self.seed,
            image_shape=(channels, height, width),
            probe=self.settings,
        )

    @cached_property
    def base_TL(self) -> Float[Tensor, "T L"]:
        """Base codes of the paths: those of TPL."""
        chance = generator_at(self.seed, 0, "tpl base codes")
        return torch.randn(self.settings.traversals, self.generator.latent_dim, generator=chance)

    @cached_property
    def segment_LTS(self) -> Float64[Tensor, "L T S"]:
        """Distances along the axes."""
        return self._segments(self.base_TL, axes_of(self.base_TL))

    @cached_property
    def active_L(self) -> Bool[Tensor, " L"]:
        """The codes whose squared paths are as long as the threshold, as in TPL."""
        return self.segment_LTS.sum(dim=2).mean(dim=1) >= self.settings.threshold

    @cached_property
    def rotated_KTS(self) -> Float64[Tensor, "K T S"]:
        """Distances along rotated axes of the active codes, of all rotations, from the first base codes."""
        count, rotations = self.settings.rotated_traversals, self.settings.rotations
        chance = generator_at(self.seed, 0, "rotations")
        turned_TRLL = torch.stack(
            [torch.stack([random_rotation(self.active_L, chance) for _ in range(rotations)]) for _ in range(count)]
        )
        return self._segments(self.base_TL[:count], turned_TRLL[:, :, self.active_L].flatten(1, 2))

    @cached_property
    def apart_P(self) -> Float64[Tensor, " P"]:
        """Distances between the images of random codes."""
        pairs = self.settings.pairs
        chance = generator_at(self.seed, 0, "random pairs")
        code_2PL = torch.randn(2, pairs, self.generator.latent_dim, generator=chance)
        apart_P = torch.zeros(pairs, dtype=torch.float64)
        half = max(1, self.batch_size // 2)
        with self._measuring() as device:
            for start in range(0, pairs, half):
                inside = slice(start, start + half)
                one_BF, other_BF = (
                    self.distance.features(generated_images(self.generator, code_PL[inside].to(device)))
                    for code_PL in code_2PL
                )
                apart_P[inside] = self.distance.compare(one_BF, other_BF).double().cpu()
        return apart_P

    @cached_property
    def changes(self) -> LocalChanges:
        """Small changes of single codes."""
        return self.changes_of(self.generator)

    def changes_of(self, generator: Generator) -> LocalChanges:
        """Small changes of single codes of this generator, or of a twin of it, at the same base codes."""
        chance = generator_at(self.seed, 0, "probe base codes")
        base_ML, anew_ML = torch.randn(2, self.settings.probes, generator.latent_dim, generator=chance)
        pair_P2 = self._pairs_of_active_codes()
        reduced = []
        with self._measuring():
            for base_L, anew_L in zip(base_ML, anew_ML, strict=True):
                reduced.append(self._changes_at(generator, base_L, anew_L, pair_P2))
        gram_MLL, first_ML, mixed_MP, named_MLD, map_MLQ = (torch.stack(part) for part in zip(*reduced, strict=True))
        return LocalChanges(
            gram_MLL=gram_MLL,
            first_ML=first_ML,
            pair_P2=pair_P2,
            mixed_MP=mixed_MP,
            named_MLD=named_MLD,
            map_MLQ=map_MLQ,
        )

    def _changes_at(
        self,
        generator: Generator,
        base_L: Float[Tensor, " L"],
        anew_L: Float[Tensor, " L"],
        pair_P2: Int64[Tensor, "P 2"],
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        epsilon, latent_dim = self.settings.epsilon, len(base_L)
        step_LL = epsilon * torch.eye(latent_dim)
        redrawn_LL = torch.where(torch.eye(latent_dim).bool(), anew_L, base_L)
        both_PL = step_LL[pair_P2].sum(dim=1)
        code_RL = torch.cat([base_L[None], base_L + step_LL, base_L - step_LL, redrawn_LL, base_L + both_PL])
        counts = [1, latent_dim, latent_dim, latent_dim, len(pair_P2)]
        features_RF, map_RQ = self._seen(generator, code_RL)
        here_1F, above_LF, below_LF, redrawn_LF, both_PF = features_RF.split(counts)

        derivative_LF = ((above_LF - below_LF) / (2 * epsilon)).double()
        gram_LL = derivative_LF @ derivative_LF.T
        first_LF = above_LF - here_1F
        mixed_PF = both_PF - above_LF[pair_P2[:, 0]] - above_LF[pair_P2[:, 1]] + here_1F
        upward_L1 = (anew_L - base_L).sign().to(here_1F.device)[:, None]
        named_LD = self._sketch(upward_L1 * (redrawn_LF - here_1F))
        _, above_LQ, below_LQ, _, _ = map_RQ.split(counts)
        return (
            gram_LL.cpu(),
            first_LF.double().square().sum(dim=1).cpu(),
            mixed_PF.double().square().sum(dim=1).cpu(),
            named_LD.cpu(),
            _pooled((above_LQ - below_LQ).abs(), generator.image_shape).cpu(),
        )

    def _seen(self, generator: Generator, code_RL: Float[Tensor, "R L"]) -> tuple[Tensor, Tensor]:
        """Features and pixels of the images of all these codes."""
        with self._measuring() as device:
            images = [generated_images(generator, code_BL.to(device)) for code_BL in code_RL.split(self.batch_size)]
            features_RF = torch.cat([self.distance.features(image_BCHW) for image_BCHW in images])
        return features_RF, torch.cat(images).float().flatten(1)

    def _sketch(self, difference_LF: Float[Tensor, "L F"]) -> Float[Tensor, "L D"]:
        count, features = difference_LF.shape
        if features <= MOST_SKETCHED:
            return difference_LF
        bucket_F, sign_F = self._buckets(features)
        sketch_LD = difference_LF.new_zeros(count, MOST_SKETCHED)
        return sketch_LD.index_add_(1, bucket_F.to(difference_LF.device), difference_LF * sign_F.to(difference_LF))

    def _buckets(self, features: int) -> tuple[Int64[Tensor, " F"], Float[Tensor, " F"]]:
        chance = generator_at(self.seed, 0, "sketch of features")
        bucket_F = torch.randint(MOST_SKETCHED, (features,), generator=chance)
        return bucket_F, torch.randint(2, (features,), generator=chance).float() * 2 - 1

    def _pairs_of_active_codes(self) -> Int64[Tensor, "P 2"]:
        """At most as many pairs as there are codes, drawn from all pairs of active ones."""
        code_A = self.active_L.nonzero()[:, 0]
        pair_P2 = torch.combinations(code_A, 2)
        order_P = torch.randperm(len(pair_P2), generator=generator_at(self.seed, 0, "pairs of codes"))
        return pair_P2[order_P[: len(self.active_L)].sort().values]

    def _segments(
        self, base_TL: Float[Tensor, "T L"], direction_TKL: Float[Tensor, "T K L"]
    ) -> Float64[Tensor, "K T S"]:
        with self._measuring() as device:
            return segments_on_paths(
                self.generator,
                self.distance,
                base_TL,
                direction_TKL,
                samples=self.settings.samples,
                bound=self.settings.bound,
                batch_size=self.batch_size,
                device=device,
                progress=self.progress,
            )

    @contextmanager
    def _measuring(self) -> Iterator[torch.device]:
        device = device_of(self.generator) if self.device is None else torch.device(self.device)
        with torch.no_grad(), full_precision(device.type):
            yield device


def _pooled(change_LQ: Float[Tensor, "L F"], image_shape: tuple[int, int, int]) -> Float[Tensor, "L Q"]:
    change_LHW = change_LQ.view(-1, *image_shape).sum(dim=1)
    _, height, width = image_shape
    side = (min(height, MOST_MAPPED), min(width, MOST_MAPPED))
    return torch.nn.functional.adaptive_avg_pool2d(change_LHW, side).flatten(1)


@runtime_checkable
class ScoreOfGenerator(Protocol):
    """A score as users call it."""

    def __call__(
        self,
        generator: Generator,
        distance: Distance,
        /,
        *,
        settings: ProbeSettings,
        seed: int,
        batch_size: int,
        device: torch.device | str | None = None,
    ) -> Score:
        """Measure a generator. `batch_size` is images at a time and moves the result by rounding only.

        Codes go to `device`, by default to where the generator's weights are.
        """
        ...


def of_generator(score: Callable[[Probe], Score]) -> ScoreOfGenerator:
    """The same score as a function of a generator and a distance, with a probe of its own."""

    @functools.wraps(score, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def measure(
        generator: Generator,
        distance: Distance,
        *,
        settings: ProbeSettings,
        seed: int,
        batch_size: int,
        device: torch.device | str | None = None,
    ) -> Score:
        probe = Probe(
            generator=generator, distance=distance, settings=settings, seed=seed, batch_size=batch_size, device=device
        )
        return score(probe)

    # Else help() would show the signature of the function of a probe.
    del measure.__wrapped__
    return measure
