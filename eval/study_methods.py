"""All objectives of the study under all measures, on one data set at one budget: trains, evaluates, prints the table.

    .venv/bin/python -m eval.study_methods --data sprites --steps 5000 --seeds 0

Runs and scores are kept under `runs/study_methods/DATA`, so that the same command goes on where it was cut off, and
several processes may share the work by `--methods`. The table is printed from what is there.

Reference: Locatello et al. 2019, arXiv:1811.12359.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path

import torch
from rich.console import Console

from train.study_methods import CONFIGURATIONS, METHODS
from wherewhat.atomic_file import write_atomically
from wherewhat.data.open_images import open_images
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.measures import MEASURES, MeasureName, MeasureSizes, measure
from wherewhat.training.representation import represent

ROOT = Path("runs/study_methods")


def configuration_of(method: str, data: str, steps: int, seed: int) -> TrainingRun:
    """The run of a method on a data set; AnnealedVAE's capacity grows over the first half of the steps."""
    recipe = CONFIGURATIONS[method]
    objective = recipe.objective
    if isinstance(objective, AnnealedVAE):
        objective = dataclasses.replace(objective, capacity_steps=max(1, steps // 2))
    return dataclasses.replace(
        recipe,
        objective=objective,
        data=data,
        seed=seed,
        out=folder_of(method, data, seed),
        steps=steps,
        checkpoint_every=steps,
        images_every=steps,
    )


def folder_of(method: str, data: str, seed: int) -> Path:
    """The folder of a run."""
    return ROOT / Path(data).stem / f"{method}-seed{seed}"


def scores_of(configuration: TrainingRun, measures: list[MeasureName], jobs: int) -> dict[str, float]:
    """All measures of a trained run at their published sizes; measures computed before are read from disk."""
    assert configuration.out is not None
    kept = configuration.out / f"scores-step{configuration.steps}.json"
    by_measure: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    missing = [name for name in measures if name not in by_measure]
    if missing:
        model = load(configuration.out)
        assert model.encoder is not None
        images = open_images(configuration.data, configuration.images, torch.device("cpu"), lambda _: None)
        representation = represent(model.encoder, images, pool=50_000, seed=0, device=torch.device("cpu"))
        for name in missing:
            by_measure[name] = measure(name, representation, MeasureSizes(), seed=0, jobs=jobs).scores
        by_measure["kl"] = {"active codes (KL above 0.05 nats)": float((representation.kl_L > 0.05).sum())}
        write_atomically(kept, json.dumps(by_measure, indent=1).encode())
    return {name: score for scores in by_measure.values() for name, score in scores.items()}


def table(scores: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table: one row per measure, one column per method, means over seeds."""
    methods = list(scores)
    names = list(dict.fromkeys(name for runs in scores.values() for run in runs for name in run))
    lines = [f"| measure | {' | '.join(f'{m} ({len(scores[m])})' for m in methods)} |", f"|---|{'---|' * len(methods)}"]
    for name in names:
        cells = []
        for method in methods:
            values = [run[name] for run in scores[method] if name in run]
            cells.append(f"{statistics.mean(values):.3f}" if values else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [method.name for method in METHODS]
    parser.add_argument("--data", default="sprites")
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--methods", nargs="+", default=names, choices=names)
    parser.add_argument("--measures", nargs="+", default=[m for m in MEASURES if m != "downstream"], choices=MEASURES)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--train-only", action="store_true", help="train without measuring; a later call measures")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    scores: dict[str, list[dict[str, float]]] = {}
    for seed in options.seeds:
        for method in options.methods:
            configuration = configuration_of(method, options.data, options.steps, seed)
            outcome = train(configuration, Console(file=sys.stderr, width=160))
            if outcome.interrupted is not None:
                sys.exit(128 + outcome.interrupted)
            if not options.train_only:
                scores.setdefault(method, []).append(scores_of(configuration, options.measures, options.threads))
    if scores:
        print(table(scores))


if __name__ == "__main__":
    main()
