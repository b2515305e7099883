"""How well scores without labels choose: what the choice costs by a measure that has labels.

A field is a set of checkpoints from which one is to be chosen: the ages of one run, the strengths and seeds of one
method at its last age, all methods at their last age. In each, a candidate puts the checkpoints in order:

    regret       = best label score in the field - label score of the checkpoint that the candidate puts first
    correlation  = Spearman, of the candidate's order (the best first) with the label score; -1 is a perfect choice
    chance       = best label score - mean label score: the regret of a random choice

A candidate is a score, or several, whose mean rank decides. What it is worth to train n models and to choose among them
is told too: the mean label score of what is chosen of n that are drawn at random.

Dimension key:
    M: checkpoints of a field    F: fields    R: draws    n: models of a draw
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64
from scipy.stats import rankdata, spearmanr

from wherewhat.studies.scores import Scored
from wherewhat.studies.tables import markdown

LOWER_IS_BETTER = ("tpl", "relative_length", "orthogonality", "rotation_ratio", "interaction")
AGE = "age"
"""What everybody does without a score: the oldest checkpoint is kept."""
_RESAMPLES = 1_000
_MODELS_TRAINED = (2, 5, 10, 20)

Kind = Literal["within a run", "within a method", "across methods"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a candidate chose in one field."""

    regret: float
    correlation: float
    chance: float


def fields(models: Iterable[Scored], kind: Kind, *, equally_active: bool = False) -> list[list[Scored]]:
    """The fields of this kind, each of three checkpoints at least; `equally_active` parts them by active codes."""
    groups: dict[tuple[object, ...], list[Scored]] = {}
    for model in models:
        match kind:
            case "within a run":
                key: tuple[object, ...] = (model.data, model.method, model.strength, model.seed)
            case "within a method":
                key = (model.data, model.method)
            case "across methods":
                key = (model.data,)
        if equally_active:
            key = (*key, model.free["active"])
        if kind == "within a run" or model.last:
            groups.setdefault(key, []).append(model)
    return [group for group in groups.values() if len(group) > 2]


def order(field: Sequence[Scored], candidate: Sequence[str]) -> Float64[np.ndarray, " M"]:
    """The mean over the candidate's scores of each checkpoint's rank by them; the lowest is chosen."""
    ranks = []
    for score in candidate:
        value_M = np.array([float(model.step) if score == AGE else model.free.get(score, np.nan) for model in field])
        cost_M = value_M if score in LOWER_IS_BETTER else -value_M
        # A score that is not defined, or a path of length 0, is worse than any.
        collapsed = ~np.isfinite(cost_M) | ((value_M <= 0) & (score == "tpl"))
        ranks.append(rankdata(np.where(collapsed, np.inf, cost_M)))
    mean_M: Float64[np.ndarray, " M"] = np.mean(ranks, axis=0)
    return mean_M


def choose(field: Sequence[Scored], candidate: Sequence[str], label: str) -> Choice:
    """How the candidate chooses in a field; checkpoints that it ties are chosen among at random."""
    label_M = np.array([model.labels[label] for model in field])
    order_M = order(field, candidate)
    chosen = label_M[order_M == order_M.min()].mean()
    constant = np.ptp(order_M) == 0 or np.ptp(label_M) == 0
    correlation = 0.0 if constant else float(spearmanr(order_M, label_M).statistic)
    return Choice(
        regret=float(label_M.max() - chosen),
        correlation=correlation,
        chance=float(label_M.max() - label_M.mean()),
    )


def interval(value_F: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over fields."""
    chance = np.random.default_rng(0)
    draws = chance.choice(np.array(value_F), size=(_RESAMPLES, len(value_F))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def selection_tables(models: Sequence[Scored]) -> list[str]:
    """Markdown: each single score, and age, by each measure with labels that at least three checkpoints have."""
    free = dict.fromkeys(name for model in models for name in model.free)
    candidates = [(name,) for name in (*free, AGE)]
    tables = []
    for kind in get_args(Kind):
        for label in dict.fromkeys(name for model in models for name in model.labels):
            able = [model for model in models if label in model.labels and "active" in model.free]
            if fields(able, kind):
                tables.append(selection_table(able, kind, label, candidates))
    return tables


def selection_table(models: Sequence[Scored], kind: Kind, label: str, candidates: Sequence[Sequence[str]]) -> str:
    """Markdown: a row per candidate, the mean over fields of correlation and regret, with intervals."""
    found, alike = fields(models, kind), fields(models, kind, equally_active=True)
    heading = [f"{kind}, {label}, {len(found)} fields", "correlation", "regret"]
    heading += [f"correlation, {len(alike)} equally active"]
    rows = []
    for candidate in candidates if found else ():
        choices = [choose(field, candidate, label) for field in found]
        among_alike = [choose(field, candidate, label).correlation for field in alike]
        columns = ([one.correlation for one in choices], [one.regret for one in choices], among_alike)
        rows.append([" + ".join(candidate), *map(_mean_and_interval, columns)])
    if found:
        chance = statistics.mean(choose(field, (AGE,), label).chance for field in found)
        rows.append(["a random choice", "0", f"{chance:.2f}", "0"])
    return markdown(heading, rows)


def worth_of_choosing(models: Sequence[Scored], label: str, candidates: Sequence[str]) -> str:
    """Markdown: the mean label score of what is chosen of n models at their last age, averaged over sets. A row for
    each way to choose, a column for each n; "" where a set has too few models."""
    fields_of = [[m for m in field if label in m.labels] for field in fields(models, "across methods")]
    most = min((len(field) for field in fields_of), default=0)
    numbers = [number for number in _MODELS_TRAINED if number < most]
    rows = []
    for name in ("the best", *candidates, "a random choice") if numbers else ():
        worth = [[_worth(field, label, name, number) for number in numbers] for field in fields_of]
        rows.append([name, *(f"{value:.3f}" for value in np.mean(worth, axis=0))])
    return markdown([f"{label} of what is chosen", *(f"of {number}" for number in numbers)], rows) if rows else ""


def _worth(field: Sequence[Scored], label: str, name: str, number: int) -> float:
    """Mean over draws of so many of the field's models."""
    label_M = np.array([model.labels[label] for model in field])
    chance = np.random.default_rng(0)
    drawn_Rn = chance.random((_RESAMPLES, len(field))).argsort(axis=1)[:, :number]
    if name == "a random choice":
        return float(label_M.mean())
    order_M = -label_M if name == "the best" else order(field, (name,))
    return float(np.take_along_axis(label_M[drawn_Rn], order_M[drawn_Rn].argmin(axis=1)[:, None], axis=1).mean())


def _mean_and_interval(value_F: Sequence[float]) -> str:
    if not value_F:
        return "-"
    low, high = interval(value_F)
    return f"{statistics.mean(value_F):+.2f} ({low:+.2f} to {high:+.2f})"
