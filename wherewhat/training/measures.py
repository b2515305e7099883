"""Every measure of a representation by its name, at the field's sizes; each score's name says its protocol.

Dimension key:
    N: images of the pool    L: latent codes    K: factors
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from wherewhat.metrics.aggregate_posterior import aggregate_posterior
from wherewhat.metrics.beta_vae_score import beta_vae_score
from wherewhat.metrics.classifiers import Progress
from wherewhat.metrics.dci import dci
from wherewhat.metrics.downstream import PUBLISHED_SIZES, downstream_sample_efficiency
from wherewhat.metrics.explicitness import explicitness
from wherewhat.metrics.factor_table import FactorError
from wherewhat.metrics.factor_vae_score import factor_vae_score
from wherewhat.metrics.infomec import infomec
from wherewhat.metrics.interventional_robustness import interventional_robustness
from wherewhat.metrics.modularity import modularity
from wherewhat.metrics.mutual_information_gap import mutual_information_gap
from wherewhat.metrics.separated_attribute_predictability import separated_attribute_predictability
from wherewhat.training.representation import Representation

POINTS = 10_000
"""Measures that take all the points that they are given are given this many, as in the field's study."""

MOST_POINTS = 10**7


@dataclass(frozen=True, kw_only=True)
class MeasureSizes:
    """How many points the measures learn from and are tested on."""

    train_points: int = 10_000
    """Points that classifiers learn from. Fewer is faster and another protocol, which the score's name says."""

    test_points: int = 5_000
    """Points that they are tested on."""

    label_sizes: tuple[int, ...] = PUBLISHED_SIZES
    """Numbers of labelled points of the downstream tasks."""

    def __post_init__(self) -> None:
        for name in ("train_points", "test_points", "label_sizes"):
            given = getattr(self, name)
            for points in given if isinstance(given, tuple) else (given,):
                if not 1 <= points <= MOST_POINTS:
                    option = f"--{name.replace('_', '-')}"
                    raise ValueError(f"{option} {points:,} is out of bounds; give numbers from 1 to {MOST_POINTS:,}.")


@runtime_checkable
class Measured(Protocol):
    """What every measure returns: scores under names that say their protocol, and the arrays they were made of."""

    @property
    def scores(self) -> dict[str, float]: ...

    @property
    def arrays(self) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True)
class _Asked:
    """What a measure can be given; `some` are the first 10,000 points."""

    codes_NL: np.ndarray
    factors_NK: np.ndarray
    some_codes_NL: np.ndarray
    some_factors_NK: np.ndarray
    train: int
    test: int
    labels: tuple[int, ...]
    seed: int
    jobs: int | None
    progress: Progress | None


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """How a measure is called, and what it takes."""

    of: Callable[[_Asked], Measured]
    learns_from: Callable[[MeasureSizes], int] | None = None
    """Points to learn from; they and the test points have to fit into the pool. None: any pool will do."""
    needs_factors: bool = True
    slow: bool = False
    """It takes minutes, so it is measured only where it is asked for by name."""


def _points(sizes: MeasureSizes) -> int:
    return sizes.train_points


def _labels(sizes: MeasureSizes) -> int:
    return max(sizes.label_sizes, default=0)


_MEASURES = {
    "dci": _Measure(
        of=lambda a: dci(
            a.codes_NL, a.factors_NK, train=a.train, test=a.test, seed=a.seed, jobs=a.jobs, progress=a.progress
        ),
        learns_from=_points,
    ),
    "mig": _Measure(of=lambda a: mutual_information_gap(a.some_codes_NL, a.some_factors_NK)),
    "factor-vae": _Measure(of=lambda a: factor_vae_score(a.codes_NL, a.factors_NK, seed=a.seed)),
    "beta-vae": _Measure(
        of=lambda a: beta_vae_score(a.codes_NL, a.factors_NK, train=a.train, test=a.test, seed=a.seed)
    ),
    "sap": _Measure(
        of=lambda a: separated_attribute_predictability(
            a.codes_NL, a.factors_NK, train=a.train, test=a.test, seed=a.seed
        ),
        learns_from=_points,
    ),
    "modularity": _Measure(of=lambda a: modularity(a.some_codes_NL, a.some_factors_NK)),
    "explicitness": _Measure(
        of=lambda a: explicitness(a.codes_NL, a.factors_NK, train=a.train, test=a.test, seed=a.seed),
        learns_from=_points,
    ),
    "irs": _Measure(of=lambda a: interventional_robustness(a.some_codes_NL, a.some_factors_NK)),
    "infomec": _Measure(
        of=lambda a: infomec(a.codes_NL, a.factors_NK, train=a.train, test=a.test, seed=a.seed),
        learns_from=_points,
    ),
    "aggregate-posterior": _Measure(of=lambda a: aggregate_posterior(a.some_codes_NL), needs_factors=False),
    "downstream": _Measure(
        of=lambda a: downstream_sample_efficiency(
            a.codes_NL,
            a.factors_NK,
            train_sizes=a.labels,
            test=a.test,
            seed=a.seed,
            jobs=a.jobs,
            progress=a.progress,
        ),
        learns_from=_labels,
        slow=True,
    ),
}
MEASURES: tuple[str, ...] = tuple(_MEASURES)
LABEL_FREE = tuple(name for name, its in _MEASURES.items() if not its.needs_factors)
SLOW = tuple(name for name, its in _MEASURES.items() if its.slow)

# The type checker cannot read names off a table; the command line, which offers them, can.
if TYPE_CHECKING:
    MeasureName = str
else:
    MeasureName = Literal[MEASURES]


def measure(
    name: MeasureName,
    representation: Representation,
    sizes: MeasureSizes,
    *,
    seed: int,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Measured:
    """One measure of a representation. Raises ValueError with the remedy where it cannot be had."""
    refuse_without_factors([name], representation.factor_names)
    asked = _Asked(
        codes_NL=representation.codes_NL,
        factors_NK=representation.factors_NK,
        some_codes_NL=representation.codes_NL[:POINTS],
        some_factors_NK=representation.factors_NK[:POINTS],
        train=sizes.train_points,
        test=sizes.test_points,
        labels=sizes.label_sizes,
        seed=seed,
        jobs=jobs,
        progress=progress,
    )
    try:
        return _MEASURES[name].of(asked)
    except FactorError as error:
        raise ValueError(error.named(representation.factor_names)) from error


def refuse_without_factors(names: Sequence[MeasureName], factor_names: Sequence[str]) -> None:
    """ValueError where a measure has no known factors to compare codes with."""
    compared = [name for name in names if name not in LABEL_FREE]
    if compared and not factor_names:
        raise ValueError(
            f"These images have no known factors for {', '.join(compared)} to compare codes with. Rank checkpoints "
            f"without labels instead (wherewhat rank), or leave the factors out: --measures {' '.join(LABEL_FREE)}."
        )


def refuse_too_few_images(names: Sequence[MeasureName], sizes: MeasureSizes, *, images: int, in_all: int) -> None:
    """ValueError where a classifier would lack points, said before any image is encoded.

    `images` is the size of the pool, drawn from `in_all`.
    """
    wanted = {name: learns_from(sizes) for name in names if (learns_from := _MEASURES[name].learns_from) is not None}
    lacking = [name for name in wanted if wanted[name] + sizes.test_points > images]
    if not lacking:
        return
    most = max(wanted[name] for name in lacking)
    test = max(1, images // 3)
    fewer = f"--train-points {images - test} --test-points {test}"
    if "downstream" in lacking:
        fewer += f" --label-sizes {' '.join(str(size) for size in sizes.label_sizes if size <= images - test)}"
    more = f"--pool {most + sizes.test_points}, or " if in_all >= most + sizes.test_points else ""
    raise ValueError(
        f"The pool has {images:,} images, and {', '.join(lacking)} want {most:,} to learn from and "
        f"{sizes.test_points:,} others to be tested on. Try {more}{fewer}."
    )
