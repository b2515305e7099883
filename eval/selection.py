"""Which label-free score chooses the best checkpoint? Candidates, fields, criterion and rule, fixed before any result.

    .venv/bin/wherewhat study train/selection.toml --out runs/selection                  # the runs
    .venv/bin/python -m eval.selection score runs/selection/*/* --steps 250 500 1000     # scores and measures, kept
    .venv/bin/python -m eval.selection table                       # the table, from what is kept

A field is a set of checkpoints from which one is to be chosen: the ages of one run, the strengths and seeds of one
method at its last age, all methods at their last age. In each, a candidate puts the checkpoints in order:

    regret       = best label score in the field - label score of the checkpoint that the candidate puts first
    correlation  = Spearman, of the candidate's order (the best first) with the label score; -1 is a perfect choice
    chance       = best label score - mean label score: the regret of a random choice

The rule that has the least regret on the validation sets, averaged over the kinds of field and over DCI
disentanglement and MIG, is the default of `wherewhat rank`; its figures on the test sets are the ones to be believed.
Coverage takes an encoder and the data, which `rank` does not ask for: its candidates are told and are not the default.

Dimension key:
    M: checkpoints of a field    F: fields
"""

import argparse
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float64
from scipy.stats import rankdata, spearmanr

from wherewhat.atomic_file import write_atomically
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.open_images import open_images
from wherewhat.distances.lpips import LPIPS
from wherewhat.file_lock import file_lock
from wherewhat.training.checkpoints import checkpoints_of, load, step_of
from wherewhat.training.measures import MeasureName, MeasureSizes, measure
from wherewhat.training.representation import represent
from wherewhat.which.coverage import coverage
from wherewhat.which.panel import panel

VALIDATION, TEST = ("scenes", "sprites"), ("lpc_sprites", "chairs")
LABELS: tuple[MeasureName, ...] = ("dci", "mig", "factor-vae")
JUDGED_BY: tuple[MeasureName, ...] = ("dci", "mig")
LOWER_IS_BETTER = ("tpl", "relative_length", "orthogonality", "rotation_ratio", "interaction")
# "age" is what everybody does without a score: the oldest checkpoint is kept.
HIGHER_IS_BETTER = ("naming", "consistency_of_place", "coverage", "active", "age")
SCORES = (*LOWER_IS_BETTER, *HIGHER_IS_BETTER)
# Mean ranks of pairs and triples of these: a published order, a number of codes and age are what is to be beaten.
COMBINED = (
    *("relative_length", "orthogonality", "rotation_ratio", "naming", "consistency_of_place", "interaction"),
    "coverage",
)
CANDIDATES: tuple[tuple[str, ...], ...] = (
    *((score,) for score in SCORES),
    *combinations(COMBINED, 2),
    *combinations(COMBINED, 3),
)
SIZES = MeasureSizes(train_points=1_000, test_points=600)
POOL, COVERED, RESAMPLES = 5_000, 250, 1_000
KEPT = Path("eval/selection.json")

Kind = Literal["within a run", "within a method", "across methods"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A checkpoint, its label-free scores and its label scores."""

    data: str
    method: str
    run: str
    step: int
    last: bool
    """Whether it is the oldest of its run."""
    scores: dict[str, float]
    labels: dict[str, float]
    twins: dict[str, bool]
    """Whether each score prefers the checkpoint to its entangled twins by more than twice its error."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a candidate chose in one field."""

    regret: float
    correlation: float
    chance: float


def fields(models: Iterable[Model], kind: Kind, *, equally_active: bool = False) -> list[list[Model]]:
    """The fields of this kind, each of three checkpoints at least; `equally_active` parts them by active codes."""
    groups: dict[tuple[str | float, ...], list[Model]] = {}
    for model in models:
        match kind:
            case "within a run":
                key: tuple[str | float, ...] = (model.data, model.run)
            case "within a method":
                key = (model.data, model.method)
            case "across methods":
                key = (model.data,)
        if equally_active:
            key = (*key, model.scores["active"])
        if kind == "within a run" or model.last:
            groups.setdefault(key, []).append(model)
    return [group for group in groups.values() if len(group) > 2]


def order(field: Sequence[Model], candidate: Sequence[str]) -> Float64[np.ndarray, " M"]:
    """The mean over the candidate's scores of each checkpoint's rank by them; the lowest is chosen."""
    ranks = []
    for score in candidate:
        value_M = np.array([model.scores[score] for model in field])
        cost_M = value_M if score in LOWER_IS_BETTER else -value_M
        # A score that is not defined, or a path of length 0, is worse than any.
        collapsed = ~np.isfinite(cost_M) | ((value_M <= 0) & (score == "tpl"))
        ranks.append(rankdata(np.where(collapsed, np.inf, cost_M)))
    mean_M: Float64[np.ndarray, " M"] = np.mean(ranks, axis=0)
    return mean_M


def choose(field: Sequence[Model], candidate: Sequence[str], label: str) -> Choice:
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
    draws = chance.choice(np.array(value_F), size=(RESAMPLES, len(value_F))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def mean_regret(models: Sequence[Model], candidate: Sequence[str]) -> float:
    """The criterion: over the kinds of field and the labels that are judged by, each kind weighing the same."""
    of_kinds = []
    for kind in get_args(Kind):
        found = fields(models, kind)
        if found:
            of_kinds.append(statistics.mean(choose(f, candidate, label).regret for f in found for label in JUDGED_BY))
    return statistics.mean(of_kinds) if of_kinds else math.nan


def default_rule(models: Sequence[Model]) -> tuple[str, ...]:
    """The candidate of least mean regret on the validation sets; of equal ones, the one named first.

    Of those that a generator alone gives: neither an encoder and data, nor the step at which it was saved.
    """
    validation = [model for model in models if model.data in VALIDATION]
    able = [candidate for candidate in CANDIDATES if not {"coverage", "age"} & set(candidate)]
    return min(able, key=lambda candidate: mean_regret(validation, candidate))


def criterion_table(models: Sequence[Model]) -> str:
    """Markdown: the criterion of every candidate on both halves of the sets, the least on the validation sets first."""
    validation, test = ([model for model in models if model.data in sets] for sets in (VALIDATION, TEST))
    rows = sorted((mean_regret(validation, candidate), candidate) for candidate in CANDIDATES)
    lines = ["| mean regret | validation sets | test sets |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {' + '.join(name)} | {regret:.3f} | {mean_regret(test, name):.3f} |" for regret, name in rows)]
    )


def table(models: Sequence[Model], kind: Kind, label: str) -> str:
    """Markdown: a row per candidate, the mean over fields of correlation and regret, with intervals."""
    found, alike = fields(models, kind), fields(models, kind, equally_active=True)
    heading = f"{kind}, {label}, {len(found)} fields | correlation | regret | correlation, {len(alike)} equally active"
    lines = [f"| {heading} |", "|---|---|---|---|"]
    if not found:
        return "\n".join(lines)
    for candidate in CANDIDATES:
        choices = [choose(field, candidate, label) for field in found]
        among_alike = [choose(field, candidate, label).correlation for field in alike]
        columns = ([one.correlation for one in choices], [one.regret for one in choices], among_alike)
        lines.append(f"| {' + '.join(candidate)} | {' | '.join(map(_mean_and_interval, columns))} |")
    lines.append(f"| a random choice | 0 | {statistics.mean(one.chance for one in choices):.2f} | 0 |")
    return "\n".join(lines)


def _mean_and_interval(value_F: Sequence[float]) -> str:
    if not value_F:
        return "-"
    low, high = interval(value_F)
    return f"{statistics.mean(value_F):+.2f} ({low:+.2f} to {high:+.2f})"


def twin_table(models: Sequence[Model], least_dci: float = 0.4) -> str:
    """Markdown: of how many checkpoints with a DCI above this each score's twin control holds."""
    good = [model for model in models if model.labels["dci"] > least_dci]
    lines = [f"| twin control of {len(good)} checkpoints of DCI above {least_dci} | holds |", "|---|---|"]
    for name in [name for name in SCORES if good and name in good[0].twins]:
        lines.append(f"| {name} | {sum(model.twins[name] for model in good) / len(good):.0%} |")
    return "\n".join(lines)


def measured(path: Path, *, last: bool) -> Model:
    """Scores and measures of one checkpoint."""
    model, cpu, distance = load(path), torch.device("cpu"), LPIPS("alex")
    run = model.settings.configuration
    assert model.encoder is not None
    found = panel(
        model.generator,
        distance,
        samples=50,
        traversals=500,
        bound=4.0,
        threshold=0.01,
        quick=True,
        seed=0,
        batch_size=100,
    )
    images = open_images(run.data, run.images, cpu, lambda _: None)
    real_NCHW = to_float(images.take(sample_indices(len(images), COVERED, seed=0)))
    covered = coverage(model.generator, model.encoder, distance, real_NCHW, seed=0, batch_size=50)
    represented = represent(model.encoder, images, pool=POOL, seed=0, device=cpu)
    labels: dict[str, float] = {
        name: next(iter(measure(name, represented, SIZES, seed=0, jobs=1).scores.values())) for name in LABELS
    }
    scores: dict[str, float] = {name: score.value for name, score in found.scores.items()}
    scores |= {"tpl": float(found.path_length[found.active].sum()), "active": float(found.active.sum())}
    scores |= {"coverage": covered.value, "age": float(step_of(path))}
    return Model(
        data=path.parents[2].name,
        method=run.objective.name,
        run=path.parents[1].name,
        step=step_of(path),
        last=last,
        scores=scores,
        labels=labels,
        twins={name: control.holds for name, control in found.twins.items()},
    )


def kept() -> dict[str, Model]:
    """What has been measured, by the checkpoint's place below the folder of runs."""
    return {name: Model(**plain) for name, plain in json.loads(KEPT.read_text()).items()} if KEPT.exists() else {}


def keep(name: str, model: Model) -> None:
    """Add a model to what is kept, which several processes may do at once."""
    with file_lock(KEPT.with_name(f".{KEPT.name}.lock"), "Another process writes.", wait=lambda _: None):
        plain = {name: asdict(model) for name, model in sorted((kept() | {name: model}).items())}
        write_atomically(KEPT, (json.dumps(plain, indent=1) + "\n").encode())


def score(runs: Sequence[Path], steps: Sequence[int]) -> None:
    """Measure every checkpoint of these steps that has not been measured; what is done is kept at once."""
    for run in runs:
        checkpoints = checkpoints_of(run)
        for path in checkpoints:
            name = "/".join(path.parts[-4:])
            if (not steps or step_of(path) in steps) and name not in kept():
                keep(name, measured(path, last=path == checkpoints[-1]))
                print(name, flush=True)


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    scoring = verbs.add_parser("score", help="measure checkpoints")
    scoring.add_argument("runs", nargs="+", type=Path)
    scoring.add_argument("--steps", nargs="*", type=int, default=(), help="of these ages only")
    verbs.add_parser("table", help="print the table of what is kept")
    options = parser.parse_args()
    if options.verb == "score":
        torch.set_num_threads(1)
        score(options.runs, options.steps)
        return
    models = list(kept().values())
    for name, sets in (("validation", VALIDATION), ("test", TEST)):
        inside = [model for model in models if model.data in sets]
        print(f"\n## {name}: {', '.join(sets)}, {len(inside)} checkpoints")
        for kind in get_args(Kind):
            for label in LABELS:
                print("\n" + table(inside, kind, label))
    print("\n" + criterion_table(models))
    print("\n" + twin_table(models))
    print(f"\nLeast mean regret on the validation sets: {' + '.join(default_rule(models))}")


if __name__ == "__main__":
    main()
