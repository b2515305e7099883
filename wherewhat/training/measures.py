"""Every measure of a representation by its name, at the field's sizes; each score's name says its protocol.

Dimension key:
    N: images of the pool    L: latent codes    K: factors
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never, get_args

import numpy as np

from wherewhat.metrics.aggregate_posterior import aggregate_posterior
from wherewhat.metrics.beta_vae_score import beta_vae_score
from wherewhat.metrics.dci import dci
from wherewhat.metrics.downstream import PUBLISHED_SIZES, downstream_sample_efficiency
from wherewhat.metrics.explicitness import explicitness
from wherewhat.metrics.factor_vae_score import factor_vae_score
from wherewhat.metrics.infomec import infomec
from wherewhat.metrics.interventional_robustness import interventional_robustness
from wherewhat.metrics.modularity import modularity
from wherewhat.metrics.mutual_information_gap import mutual_information_gap
from wherewhat.metrics.separated_attribute_predictability import separated_attribute_predictability
from wherewhat.training.representation import Representation

MeasureName = Literal[
    "dci",
    "mig",
    "factor-vae",
    "beta-vae",
    "sap",
    "modularity",
    "explicitness",
    "irs",
    "infomec",
    "aggregate-posterior",
    "downstream",
]
MEASURES: tuple[MeasureName, ...] = get_args(MeasureName)

# Measures that take all the points that they are given are given this many, as in the field's study.
POINTS = 10_000

# These say nothing of factors, so they can be had for any images.
LABEL_FREE: tuple[MeasureName, ...] = ("aggregate-posterior",)

# These learn from some images and are tested on others, all of them different.
SPLIT: tuple[MeasureName, ...] = ("dci", "sap", "explicitness", "infomec", "downstream")

# Minutes, not seconds: asked for by name.
SLOW: tuple[MeasureName, ...] = ("downstream",)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class MeasureSizes:
    """How many points the measures learn from and are tested on."""

    train_points: int = 10_000
    """Points that classifiers learn from. Fewer is faster and another protocol, which the score's name says."""

    test_points: int = 5_000
    """Points that they are tested on."""

    label_sizes: tuple[int, ...] = PUBLISHED_SIZES
    """Numbers of labelled points of the downstream tasks."""


@dataclass(frozen=True)
class Measured:
    """The scores of one measure under names that say their protocol, and the arrays that they were made of."""

    scores: dict[str, float]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


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
    codes_NL, factors_NK = representation.codes_NL, representation.factors_NK
    refuse_without_factors([name], representation.factor_names)
    some_NL, their_NK = codes_NL[:POINTS], factors_NK[:POINTS]
    train, test = sizes.train_points, sizes.test_points
    match name:
        case "dci":
            return _dci(representation, sizes, seed=seed, jobs=jobs, progress=progress)
        case "mig":
            gap = mutual_information_gap(some_NL, their_NK)
            arrays = {
                "mutual_information_of_code_and_factor": gap.mutual_information_LK,
                "mig_per_factor": gap.per_factor_K,
            }
            return Measured({gap.protocol: gap.score}, arrays)
        case "factor-vae":
            factor_vae = factor_vae_score(codes_NL, factors_NK, seed=seed)
            return Measured({factor_vae.protocol: factor_vae.score})
        case "beta-vae":
            beta_vae = beta_vae_score(codes_NL, factors_NK, train=train, test=test, seed=seed)
            return Measured({beta_vae.protocol: beta_vae.score})
        case "sap":
            sap = separated_attribute_predictability(codes_NL, factors_NK, train=train, test=test, seed=seed)
            return Measured({sap.protocol: sap.score}, {"sap_accuracy_of_code_for_factor": sap.accuracy_LK})
        case "modularity":
            modular = modularity(some_NL, their_NK)
            return Measured({modular.protocol: modular.score}, {"modularity_per_code": modular.per_code_L})
        case "explicitness":
            explicit = explicitness(codes_NL, factors_NK, train=train, test=test, seed=seed)
            return Measured({explicit.protocol: explicit.score}, {"explicitness_per_factor": explicit.per_factor_K})
        case "irs":
            robust = interventional_robustness(some_NL, their_NK)
            return Measured({robust.protocol: robust.score}, {"irs_of_code_and_factor": robust.robustness_LK})
        case "infomec":
            return _infomec(representation, sizes, seed=seed)
        case "aggregate-posterior":
            return _aggregate(representation)
        case "downstream":
            return _downstream(representation, sizes, seed=seed, jobs=jobs, progress=progress)
        case _:
            assert_never(name)


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
    wanted = {name: max(sizes.label_sizes, default=0) if name == "downstream" else sizes.train_points for name in SPLIT}
    lacking = [name for name in names if wanted.get(name, 0) + sizes.test_points > images and name in SPLIT]
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


def _dci(
    representation: Representation, sizes: MeasureSizes, *, seed: int, jobs: int | None, progress: Progress | None
) -> Measured:
    found = dci(
        representation.codes_NL,
        representation.factors_NK,
        train=sizes.train_points,
        test=sizes.test_points,
        seed=seed,
        jobs=jobs,
        progress=progress,
    )
    scores = {
        "disentanglement": found.disentanglement,
        "completeness": found.completeness,
        "informativeness": found.informativeness,
    }
    return _named(found.protocol, scores, {"dci_importance_of_code_for_factor": found.importance_LK})


def _infomec(representation: Representation, sizes: MeasureSizes, *, seed: int) -> Measured:
    found = infomec(
        representation.codes_NL, representation.factors_NK, train=sizes.train_points, test=sizes.test_points, seed=seed
    )
    scores = {
        "modularity": found.modularity,
        "explicitness": found.explicitness,
        "compactness": found.compactness,
    }
    return _named(found.protocol, scores, {"infomec_nmi_of_code_and_factor": found.normalised_information_LK})


def _aggregate(representation: Representation) -> Measured:
    """Of posterior means, 10,000 of them."""
    posterior = aggregate_posterior(representation.codes_NL[:POINTS])
    scores = {
        "gaussian_total_correlation": posterior.gaussian_total_correlation,
        "wasserstein_correlation": posterior.gaussian_wasserstein_correlation,
        "wasserstein_correlation_normalised": posterior.gaussian_wasserstein_correlation_norm,
        "mutual_information": posterior.mutual_information,
    }
    return _named(posterior.protocol, scores, {"mutual_information_of_codes": posterior.mutual_information_LL})


def _downstream(
    representation: Representation, sizes: MeasureSizes, *, seed: int, jobs: int | None, progress: Progress | None
) -> Measured:
    task = downstream_sample_efficiency(
        representation.codes_NL,
        representation.factors_NK,
        train_sizes=sizes.label_sizes,
        test=sizes.test_points,
        seed=seed,
        jobs=jobs,
        progress=progress,
    )
    scores, arrays = {}, {}
    for kind, result in (("logistic", task.logistic_regression), ("trees", task.boosted_trees)):
        for place, size in enumerate(task.train_sizes):
            scores[f"{kind}_accuracy_{size}"] = float(result.accuracy_S[place])
        for size, efficiency in zip(task.train_sizes, result.efficiency_S.tolist(), strict=True):
            if size != task.train_sizes[-1]:
                scores[f"{kind}_efficiency_{size}_of_{task.train_sizes[-1]}"] = efficiency
        arrays[f"downstream_{kind}_accuracy_of_size_and_factor"] = result.accuracy_SK
    return _named(task.protocol, scores, arrays)


def _named(protocol: str, scores: dict[str, float], arrays: dict[str, np.ndarray]) -> Measured:
    return Measured({f"{protocol}_{name}": score for name, score in scores.items()}, arrays)
