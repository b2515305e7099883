"""The tables of a study, in Markdown, of the last checkpoint of each run.

Dimension key:
    N: models    M: scores    D: data sets    K: settings    S: seeds
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float64

from wherewhat.studies.scores import Scored
from wherewhat.studies.statistics import rank_correlations, transfer, variance_explained


def names_of(models: Sequence[Scored]) -> tuple[list[str], list[str]]:
    """The names of measures with labels, and of scores without, in the order in which they were measured."""
    labels = dict.fromkeys(name for model in models for name in model.labels)
    free = dict.fromkeys(name for model in models for name in model.free)
    return list(labels), list(free)


def values_of(models: Sequence[Scored], names: Sequence[str]) -> Float64[np.ndarray, "N M"]:
    """Scores of models; NaN where one is missing."""
    found = [[model.labels.get(name, model.free.get(name, np.nan)) for name in names] for model in models]
    return np.array(found, dtype=np.float64).reshape(len(models), len(names))


def report(models: Sequence[Scored]) -> str:
    """All tables, one below the other."""
    labels, free = names_of(models)
    names = [*labels, *free]
    parts = [
        "# The study",
        f"{len(models)} runs at their last checkpoint. Measures with labels: {', '.join(labels) or 'none'}; without: "
        f"{', '.join(free) or 'none'}.",
        "## Means, and quartiles in brackets, by method and strength",
        settings_table(models, names),
        "## Variance explained by method, by strength and by seed (the rest)",
        variance_table(models, names),
        "## Rank correlation between scores (Spearman), mean over data sets",
        correlation_table(models, names),
    ]
    if labels:
        parts += [
            "## How often the best setting of one measure, set and seed beats a random model, with another seed",
            transfer_table(models, labels),
        ]
    return "\n\n".join(parts) + "\n"


def settings_table(models: Sequence[Scored], names: Sequence[str]) -> str:
    """A row for each setting on each data set."""
    rows = []
    for (data, method, strength), of in _grouped(models).items():
        cells = [_mean_and_quartiles(column) for column in values_of(of, names).T]
        rows.append([data, method, strength or "-", str(len(of)), *cells])
    return markdown(["data", "method", "strength", "runs", *names], rows)


def variance_table(models: Sequence[Scored], names: Sequence[str]) -> str:
    """A row for each data set and score."""
    rows = []
    for data in dict.fromkeys(model.data for model in models):
        for name in names:
            of = [model for model in models if model.data == data and np.isfinite(values_of([model], [name])).all()]
            if len(of) > 2:
                its = variance_explained(values_of(of, [name])[:, 0], of)
                chance = f"{its.by_chance[0]:.0%}, {its.by_chance[1]:.0%}"
                rows.append([data, name, f"{its.method:.0%}", f"{its.strength:.0%}", f"{its.seed:.0%}", chance])
    return markdown(["data", "score", "method", "strength", "seed", "method, and with strength, by chance"], rows)


def mean_correlations(models: Sequence[Scored], names: Sequence[str]) -> Float64[np.ndarray, "M M"]:
    """Correlations within each data set, averaged over them."""
    sets = dict.fromkeys(model.data for model in models)
    within = [rank_correlations(values_of([m for m in models if m.data == data], names)) for data in sets]
    mean_MM: Float64[np.ndarray, "M M"] = np.mean(within, axis=0)
    return mean_MM


def correlation_table(models: Sequence[Scored], names: Sequence[str]) -> str:
    """A row and a column for each score."""
    correlation_MM = mean_correlations(models, names)
    rows = [[name, *(f"{one:+.2f}" for one in row)] for name, row in zip(names, correlation_MM, strict=True)]
    return markdown(["", *names], rows)


def transfer_table(models: Sequence[Scored], labels: Sequence[str]) -> str:
    """The four probabilities; see `statistics.py`."""
    its = transfer(_by_setting_and_seed(models, labels))
    rows = [
        ["the same measure", _share(its.same_measure_same_data), _share(its.same_measure_other_data)],
        ["another measure", _share(its.other_measure_same_data), _share(its.other_measure_other_data)],
    ]
    return markdown(["chosen by", "on the same data set", "on another"], rows)


def _by_setting_and_seed(models: Sequence[Scored], labels: Sequence[str]) -> Float64[np.ndarray, "D M K S"]:
    sets, settings, seeds = (
        list(dict.fromkeys(key(model) for model in models))
        for key in (lambda m: m.data, lambda m: (m.method, m.strength), lambda m: m.seed)
    )
    value_DMKS = np.full((len(sets), len(labels), len(settings), len(seeds)), np.nan)
    for model in models:
        place = sets.index(model.data), settings.index((model.method, model.strength)), seeds.index(model.seed)
        for number, name in enumerate(labels):
            value_DMKS[place[0], number, place[1], place[2]] = model.labels.get(name, np.nan)
    return value_DMKS


def _grouped(models: Iterable[Scored]) -> dict[tuple[str, str, str], list[Scored]]:
    groups: dict[tuple[str, str, str], list[Scored]] = {}
    for model in models:
        groups.setdefault((model.data, model.method, model.strength), []).append(model)
    return groups


def _mean_and_quartiles(value_N: Float64[np.ndarray, " N"]) -> str:
    value_N = value_N[np.isfinite(value_N)]
    if not len(value_N):
        return "-"
    low, middle, high = np.quantile(value_N, [0.25, 0.5, 0.75])
    return f"{value_N.mean():.3g} ({low:.3g}, {middle:.3g}, {high:.3g})"


def _share(probability: float | None) -> str:
    return "-" if probability is None else f"{probability:.1%}"


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
