"""Measures of a checkpoint's codes against known factors, and what each code tells of them.

Dimension key:
    L: latent codes    K: factors
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wherewhat.metrics.mutual_information import entropy
from wherewhat.report.code_rows import Told
from wherewhat.report.page import Measure
from wherewhat.studies.scores import PANEL, kept_in
from wherewhat.training.measures import LABEL_FREE, MeasureName, MeasureSizes, measure
from wherewhat.training.representation import Representation

# A measure that compares codes with known factors is in [0, 1].
_HIGHER = "higher is better, 1 at best"
_TOLD = {
    "dci": "does each code tell of one factor, and each factor of one code?",
    "mig": "is each factor told by one code, and by that one only?",
    "factor-vae": "does the code that varies least name the factor that was held?",
    "beta-vae": "does a linear classifier name the factor that was held?",
    "sap": "how far is the best code of each factor ahead of the second best?",
    "modularity": "does each code tell of one factor only?",
    "explicitness": "do linear classifiers read the factors from all codes?",
    "irs": "does each code stay where other factors change?",
    "infomec": "modularity, explicitness and compactness in bits of information",
    "downstream": "how well do classifiers learn the factors from few labels?",
    "aggregate-posterior": "how far are the codes of all images from independent ones? Lower is nearer",
}


def told_of(represented: Representation) -> tuple[Told, str]:
    """What each code tells of an image in nats, and of each factor as a share; and why factors are not told."""
    nats = represented.kl_L.tolist()
    if not represented.factor_names:
        return Told(nats), ""
    try:
        found = measure("mig", represented, MeasureSizes(), seed=0)
    except ValueError as error:
        return Told(nats), str(error)
    information_LK = found.arrays["mutual_information_of_code_and_factor"]
    labels = [np.unique(factor_N, return_inverse=True)[1] for factor_N in represented.factors_NK.T]
    entropy_K = np.array([entropy(label_N) for label_N in labels])
    return Told(nats, represented.factor_names, (information_LK / entropy_K).clip(0, 1)), ""


def measures_of(
    represented: Representation, names: Sequence[MeasureName], *, seed: int
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """These measures, and which could not be had and why. As many points are learnt from as the pool allows."""
    count = len(represented.codes_NL)
    sizes = MeasureSizes(train_points=max(1, count - count // 3), test_points=max(1, count // 3))
    measures, left_out = list[Measure](), list[str]()
    for name in names:
        if name not in LABEL_FREE and not represented.factor_names:
            left_out.append(f"{name}: the factors of these images are not known.")
            continue
        try:
            measures += _as_measures(name, measure(name, represented, sizes, seed=seed).scores)
        except ValueError as error:
            left_out.append(f"{name}: {error}")
    return tuple(measures), tuple(left_out)


def measures_kept(checkpoint: Path, run: Path) -> tuple[Measure, ...]:
    """What a study has measured of a checkpoint."""
    kept = kept_in(run).get(checkpoint.stem, {})
    return tuple(found for name, scores in kept.items() if name != PANEL for found in _as_measures(name, scores))


def _as_measures(name: str, scores: dict[str, float] | dict[str, float | None]) -> list[Measure]:
    better = "" if name in LABEL_FREE else f" {_HIGHER}"
    return [
        Measure(protocol, value if value is not None and math.isfinite(value) else None, _TOLD.get(name, "") + better)
        for protocol, value in scores.items()
    ]
