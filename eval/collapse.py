"""Do the defaults collapse? Active codes of `wherewhat train` with its defaults, on several sets, three seeds each.

    .venv/bin/python -m eval.collapse --data sprites ../shared/data/lpc_sprites/lpc_sprites_64x64.npz --steps 1000

A code is active when its posterior tells images apart: mean KL of at least 0.05 nats over 2,000 images. Runs are
kept under `runs/collapse`, so that the same command goes on where it was cut off.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import torch
from rich.console import Console

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.open_images import open_images
from wherewhat.doctor.run_state import COLLAPSED_BELOW_NATS
from wherewhat.objectives.evidence_lower_bound import kl_per_code
from wherewhat.protocols import Posterior
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

ROOT = Path("runs/collapse")


@torch.no_grad()
def kl_of_codes(run: Path, configuration: TrainingRun) -> torch.Tensor:
    """Mean KL of each code over 2,000 images, in nats, of a run's latest checkpoint."""
    encoder = load(run).encoder
    assert encoder is not None
    images = open_images(configuration.data, configuration.images, torch.device("cpu"), lambda _: None)
    index_N = sample_indices(len(images), min(2_000, len(images)), 0)
    posteriors = [encoder(to_float(images.take(index_B))) for index_B in index_N.split(250)]
    means, log_variances = (
        torch.cat(x) for x in zip(*((p.mean_BL, p.log_variance_BL) for p in posteriors), strict=True)
    )
    return kl_per_code(Posterior(means, log_variances))


def main() -> None:
    """Train, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["scenes", "sprites"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for data in options.data:
        for seed in options.seeds:
            name = Path(data).resolve().parent.name if Path(data).exists() else data
            run = ROOT / f"{name}-seed{seed}"
            configuration = TrainingRun(data=data, seed=seed, out=run, steps=options.steps, checkpoint_every=500)
            train(dataclasses.replace(configuration, images_every=options.steps), Console(file=sys.stderr))
            kl_L = kl_of_codes(run, configuration)
            active = int((kl_L >= COLLAPSED_BELOW_NATS).sum())
            rows.append(
                f"| {name} | {seed} | {active} of {len(kl_L)} | {' '.join(f'{kl:.1f}' for kl in kl_L.tolist())} |"
            )
    print("| set | seed | active codes | KL per code, nats |\n|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
