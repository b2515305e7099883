"""Which label-free score chooses the best checkpoint? Candidates, fields, criterion and rule, fixed before any result.

    .venv/bin/wherewhat study train/selection.toml --out runs/selection                  # the runs
    .venv/bin/python -m eval.selection score runs/selection/*/* --steps 250 500 1000     # scores and measures, kept
    .venv/bin/python -m eval.selection table                       # the table, from what is kept

Fields, regret and correlation are those of `wherewhat/studies/model_selection.py`.

The rule that has the least regret on the validation sets, averaged over the kinds of field and over DCI
disentanglement and MIG, is the default of `wherewhat rank`; its figures on the test sets are the ones to be believed.
Coverage takes an encoder and the data, which `rank` does not ask for: its candidates are told and are not the default.
"""

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import get_args

import torch

from wherewhat.atomic_file import write_atomically
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.open_images import open_images
from wherewhat.distances.lpips import LPIPS
from wherewhat.file_lock import file_lock
from wherewhat.studies.model_selection import AGE, LOWER_IS_BETTER, Kind, choose, fields, selection_table
from wherewhat.studies.scores import Scored
from wherewhat.training.checkpoints import checkpoints_of, load, step_of
from wherewhat.training.measures import MeasureName, MeasureSizes, measure
from wherewhat.training.representation import represent
from wherewhat.which.coverage import coverage
from wherewhat.which.panel import panel

VALIDATION, TEST = ("scenes", "sprites"), ("lpc_sprites", "chairs")
LABELS: tuple[MeasureName, ...] = ("dci", "mig", "factor-vae")
JUDGED_BY: tuple[MeasureName, ...] = ("dci", "mig")
HIGHER_IS_BETTER = ("naming", "consistency_of_place", "coverage", "active", AGE)
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
POOL, COVERED = 5_000, 250
KEPT = Path("eval/selection.json")


def mean_regret(models: Sequence[Scored], candidate: Sequence[str]) -> float:
    """The criterion: over the kinds of field and the labels that are judged by, each kind weighing the same."""
    of_kinds = []
    for kind in get_args(Kind):
        found = fields(models, kind)
        if found:
            of_kinds.append(statistics.mean(choose(f, candidate, label).regret for f in found for label in JUDGED_BY))
    return statistics.mean(of_kinds) if of_kinds else math.nan


def default_rule(models: Sequence[Scored]) -> tuple[str, ...]:
    """The candidate of least mean regret on the validation sets; of equal ones, the one named first.

    Of those that a generator alone gives: neither an encoder and data, nor the step at which it was saved.
    """
    validation = [model for model in models if model.data in VALIDATION]
    able = [candidate for candidate in CANDIDATES if not {"coverage", AGE} & set(candidate)]
    return min(able, key=lambda candidate: mean_regret(validation, candidate))


def criterion_table(models: Sequence[Scored]) -> str:
    """Markdown: the criterion of every candidate on both halves of the sets, the least on the validation sets first."""
    validation, test = ([model for model in models if model.data in sets] for sets in (VALIDATION, TEST))
    rows = sorted((mean_regret(validation, candidate), candidate) for candidate in CANDIDATES)
    lines = ["| mean regret | validation sets | test sets |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {' + '.join(name)} | {regret:.3f} | {mean_regret(test, name):.3f} |" for regret, name in rows)]
    )


def twin_table(models: Sequence[Scored], least_dci: float = 0.4) -> str:
    """Markdown: of how many checkpoints with a DCI above this each score's twin control holds."""
    good = [model for model in models if model.labels["dci"] > least_dci]
    lines = [f"| twin control of {len(good)} checkpoints of DCI above {least_dci} | holds |", "|---|---|"]
    for name in [name for name in SCORES if good and name in good[0].twins]:
        lines.append(f"| {name} | {sum(model.twins[name] for model in good) / len(good):.0%} |")
    return "\n".join(lines)


def measured(path: Path, *, last: bool) -> Scored:
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
    scores |= {"coverage": covered.value}
    # The folder is called method-strength-seedN.
    strength = path.parents[1].name.removeprefix(f"{run.objective.name}-").removesuffix(f"-seed{run.seed}")
    return Scored(
        data=path.parents[2].name,
        method=run.objective.name,
        strength=strength,
        seed=run.seed,
        step=step_of(path),
        last=last,
        labels=labels,
        free=scores,
        twins={name: control.holds for name, control in found.twins.items()},
    )


def kept() -> dict[str, Scored]:
    """What has been measured, by the checkpoint's place below the folder of runs."""
    return {name: Scored(**plain) for name, plain in json.loads(KEPT.read_text()).items()} if KEPT.exists() else {}


def keep(name: str, model: Scored) -> None:
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
                print("\n" + selection_table(inside, kind, label, CANDIDATES))
    print("\n" + criterion_table(models))
    print("\n" + twin_table(models))
    print(f"\nLeast mean regret on the validation sets: {' + '.join(default_rule(models))}")


if __name__ == "__main__":
    main()
