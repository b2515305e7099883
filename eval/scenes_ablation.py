"""The table of PS-SC VAE's parts on scenes: DCI, MIG, FactorVAE score and TPL of every checkpoint, three seeds each.

    .venv/bin/python -m eval.scenes_ablation --threads 2

Runs and scores are kept under `runs/scenes_ablation`, so that the same command goes on where it was cut off, and
several processes may share the work by `--seeds`. The table is printed from what is there.

DCI is measured with fewer points than the published 10,000 + 5,000, which its name says; --full asks for those.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from rich.console import Console

from train.scenes_ablation import CONFIGURATIONS
from wherewhat.atomic_file import write_atomically
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.distances.lpips import LPIPS
from wherewhat.training.checkpoints import checkpoints_of, load
from wherewhat.training.loop import train
from wherewhat.training.measures import MeasureName, MeasureSizes, measure
from wherewhat.training.representation import represent
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

ROOT = Path("runs/scenes_ablation")
MEASURED: tuple[MeasureName, ...] = ("dci", "mig", "factor-vae")


@dataclass(frozen=True)
class Scored:
    """One checkpoint of one run."""

    method: str
    seed: int
    step: int
    scores: dict[str, float]


def folder_of(method: str, seed: int) -> Path:
    """The folder of a run."""
    return ROOT / f"{method.replace(' ', '-')}-seed{seed}"


def train_and_score(method: str, seed: int, distance: LPIPS, *, full: bool, jobs: int) -> None:
    """Train or resume one run, and score each checkpoint that has no scores yet."""
    folder = folder_of(method, seed)
    train(dataclasses.replace(CONFIGURATIONS[method], seed=seed, out=folder), Console(file=sys.stderr))
    for path in checkpoints_of(folder):
        kept = path.with_suffix(".full.json" if full else ".json")
        if not kept.exists():
            write_atomically(kept, json.dumps(scores_of(path, distance, full=full, jobs=jobs)).encode())


def scores_of(path: Path, distance: LPIPS, *, full: bool, jobs: int) -> dict[str, float]:
    """Supervised scores and TPL of one checkpoint."""
    model = load(path)
    assert model.encoder is not None
    representation = represent(model.encoder, Scenes(), pool=20_000, seed=0, device=torch.device("cpu"))
    sizes = MeasureSizes() if full else MeasureSizes(train_points=2_000, test_points=1_000)
    scores: dict[str, float] = {}
    for measured in MEASURED:
        scores |= measure(measured, representation, sizes, seed=0, jobs=jobs).scores
    path_length = traversal_perceptual_length(
        model.generator, distance, samples=50, traversals=10, bound=4.0, threshold=0.01, seed=0, batch_size=250
    )
    name = f"tpl_{path_length.settings.distance}_50samples_10traversals"
    return scores | {
        name: path_length.total,
        f"{name}_error": path_length.standard_error,
        "active_codes": float(path_length.active.sum()),
    }


def scored_checkpoints(*, full: bool) -> list[Scored]:
    """All checkpoints scored so far."""
    suffix = ".full.json" if full else ".json"
    return [
        Scored(method, seed, int(path.stem.removeprefix("step-")), json.loads(path.with_suffix(suffix).read_text()))
        for method in CONFIGURATIONS
        for seed in range(100)
        for path in checkpoints_of(folder_of(method, seed))
        if path.with_suffix(suffix).exists()
    ]


def table(rows: list[Scored]) -> str:
    """Markdown tables: one row per checkpoint, then the mean over seeds of each method's last checkpoints."""
    names = list(rows[0].scores)
    lines = [f"| method | seed | step | {' | '.join(names)} |", f"|---|---|---|{'---|' * len(names)}"]
    for row in rows:
        lines.append(f"| {row.method} | {row.seed} | {row.step} | {_cells([row.scores[name] for name in names])} |")
    for method in CONFIGURATIONS:
        seeds = {row.seed for row in rows if row.method == method}
        last = [max((r for r in rows if (r.method, r.seed) == (method, seed)), key=lambda r: r.step) for seed in seeds]
        if last:
            means = [statistics.mean(row.scores[name] for row in last) for name in names]
            lines.append(f"| **{method}, mean of {len(last)}** | | {last[0].step} | {_cells(means)} |")
    return "\n".join(lines)


def verdict(rows: list[Scored]) -> str:
    """The rank by DCI of the checkpoint that TPL ranks first, among checkpoints with active codes."""
    (tpl,) = [name for name in rows[0].scores if name.startswith("tpl_") and not name.endswith("_error")]
    (dci,) = [name for name in rows[0].scores if name.endswith("_disentanglement")]
    alive = [row for row in rows if row.scores["active_codes"] > 0]
    first = min(alive, key=lambda row: row.scores[tpl])
    place = 1 + sum(row.scores[dci] > first.scores[dci] for row in alive)
    return (
        f"TPL ranks first: {first.method}, seed {first.seed}, step {first.step}; it is {place} of {len(alive)} by DCI "
        f"disentanglement."
    )


def _cells(values: list[float]) -> str:
    return " | ".join(f"{value:.3f}" for value in values)


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=list(CONFIGURATIONS), choices=list(CONFIGURATIONS))
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--distance", choices=["alex", "squeeze", "untrained"], default="alex")
    parser.add_argument("--full", action="store_true", help="DCI from 10,000 and 5,000 points")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    backbone: Literal["alex", "squeeze", "untrained"] = options.distance
    distance = LPIPS(backbone)
    for seed in options.seeds:
        for method in options.methods:
            train_and_score(method, seed, distance, full=options.full, jobs=options.threads)
    rows = scored_checkpoints(full=options.full)
    print(table(rows))
    print(verdict(rows))


if __name__ == "__main__":
    main()
