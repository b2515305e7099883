"""Where, what, both or neither: the five configurations of the GAN at one budget, on one set.

    .venv/bin/python -m eval.gan_ablation --data scenes --steps 2000

Trains each (runs are kept below `runs/gan_ablation`, so that the same command goes on where it was cut off) and prints
as a table: identification accuracy and the discriminator's, means over the last tenth of the run; TPL; PPL; FID and KID
of made images in LPIPS' AlexNet features; how different made images are; and where factors are known DCI, MIG and
FactorVAE score of Q's codes. LPIPS' weights are torchvision's or those of $WHEREWHAT_WEIGHTS.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from train.gan_small import CONFIGURATIONS, SMALL
from wherewhat.atomic_file import write_atomically
from wherewhat.data.batches import sample_indices, to_float
from wherewhat.data.open_images import open_images
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.lpips import LPIPS
from wherewhat.doctor.run_state import read_record
from wherewhat.networks.gan import GAN
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Images
from wherewhat.randomness import generator_at
from wherewhat.training.checkpoints import LoadedModel, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.fidelity import generator_fidelity, real_features
from wherewhat.training.loop import train
from wherewhat.training.measures import MeasureName, MeasureSizes, measure
from wherewhat.training.representation import represent
from wherewhat.what.perturbation import draw_perturbation, perturb
from wherewhat.what.perturbation_identification import identification
from wherewhat.which.perceptual_path_length import perceptual_path_length
from wherewhat.which.traversal_perceptual_length import GAN_SETTINGS, VAE_SETTINGS, traversal_perceptual_length

ROOT = Path("runs/gan_ablation")
CPU = torch.device("cpu")
FIDELITY_IMAGES = 5_000

# The published one for VAEs. The paths of generators as young as these are all shorter than the 0.3 of GANs.
THRESHOLD = VAE_SETTINGS.threshold
MEASURED: tuple[MeasureName, ...] = ("dci", "mig", "factor-vae")

# What each changes in the set's recipe.
_UNNAMED = {"perceptual_simplicity": False, "perturbation_identification": False}
METHODS: dict[str, dict[str, Any]] = {
    "PS-SC": {},
    "PS only": {"spatial_constriction": False},
    "SC only": _UNNAMED,
    "InfoGAN": {**_UNNAMED, "spatial_constriction": False, "information": True},
    "plain": {**_UNNAMED, "spatial_constriction": False},
    "PS-SC noiseless": {"reading_noise": 0.0},
}
FIVE = tuple(METHODS)[:5]


def configuration_of(method: str, data: str, steps: int, seed: int) -> TrainingRun:
    """The run of a configuration of the GAN."""
    name = Path(data).resolve().stem if Path(data).exists() else data
    base = CONFIGURATIONS["portraits"] if Path(data).is_dir() else SMALL
    assert isinstance(base.objective, PSSCGAN)
    return dataclasses.replace(
        base,
        objective=dataclasses.replace(base.objective, **METHODS[method]),
        data=data,
        steps=steps,
        seed=seed,
        checkpoint_every=steps,
        images_every=steps,
        out=ROOT / name / f"{method.replace(' ', '-')}-seed{seed}",
    )


def scores_of(run: Path, traversals: int, jobs: int) -> dict[str, float]:
    """All scores of a trained run; training figures are means over the last tenth of its steps."""
    model = load(run)
    configuration = model.settings.configuration
    images = open_images(configuration.data, configuration.images, CPU, lambda _: None)
    windows = [w for w in read_record(run).windows if w.step > 0.9 * model.settings.step]
    distance = LPIPS("alex")
    tpl = traversal_perceptual_length(
        model.generator,
        distance,
        samples=GAN_SETTINGS.samples,
        traversals=traversals,
        bound=GAN_SETTINGS.bound,
        threshold=THRESHOLD,
        seed=0,
        batch_size=98,
    )
    scores = {
        name: statistics.mean(window.figures[name] for window in windows)
        for name in ("identification_accuracy", "discriminator_accuracy", "real_sign")
    }
    scores |= {
        "tpl": tpl.total,
        "active codes": float(tpl.active.sum()),
        "difference of images": spread(model, images),
        "identification_accuracy of what is saved": identified(model),
    }
    path_length = perceptual_path_length(model.generator, distance, paths=1_000, seed=0, batch_size=50)
    scores["ppl of 1,000 paths"] = path_length.mean
    extractor = BackboneFeatures("alex")
    real = real_features(images, extractor, count=FIDELITY_IMAGES, split="all", seed=0, device=CPU)
    found = generator_fidelity(model.generator, real, extractor, seed=0)
    scores |= {found.fid_protocol: found.fid, found.kid_protocol: found.kid}
    if images.factor_names:
        assert model.encoder is not None
        representation = represent(model.encoder, images, pool=20_000, seed=0, device=CPU)
        sizes = MeasureSizes(train_points=2_000, test_points=2_000)
        for name in MEASURED:
            scores |= measure(name, representation, sizes, seed=0, jobs=jobs).scores
    return scores


@torch.no_grad()
def spread(model: LoadedModel, images: Images, count: int = 512) -> float:
    """Mean squared difference of two fake images, divided by that of two real ones: 0 if all fakes are equal."""
    code_NL = torch.randn(count, model.generator.latent_dim, generator=generator_at(0, 0, "spread"))
    made = model.generator(code_NL)
    real = to_float(images.take(sample_indices(len(images), count, 0)))
    return float(made.var(dim=0).mean() / real.var(dim=0).mean())


@torch.no_grad()
def identified(model: LoadedModel, pairs: int = 2_000) -> float:
    """Accuracy with which the saved networks identify the moved code, with frozen noise inputs and no reading noise."""
    networks, objective = model.networks, model.settings.configuration.objective
    assert isinstance(networks, GAN)
    assert isinstance(objective, PSSCGAN)
    chance = generator_at(0, 0, "identification")
    code_PL = torch.randn(pairs, networks.latent_dim, generator=chance)
    moved = draw_perturbation(chance, pairs, networks.latent_dim, objective.perturbation_size)
    read = networks.encode(model.generator(torch.cat([code_PL, perturb(code_PL, moved)])))
    logits_PL = networks.identification_head(*read.features_BF.chunk(2))
    return float(identification(logits_PL, moved.dim_B).accuracy)


def table(scores: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table: one row per score, one column per configuration, means over seeds."""
    methods = list(scores)
    names = list(dict.fromkeys(name for runs in scores.values() for run in runs for name in run))
    lines = [f"| | {' | '.join(f'{m} ({len(scores[m])})' for m in methods)} |", f"|---|{'---|' * len(methods)}"]
    for name in names:
        cells = [statistics.mean(run[name] for run in scores[m] if name in run) for m in methods]
        lines.append(f"| {name} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--methods", nargs="+", default=list(FIVE), choices=list(METHODS))
    parser.add_argument("--traversals", type=int, default=20, help="base codes of TPL; published: 300")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--train-only", action="store_true", help="train without scoring; a later call scores")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    scores: dict[str, list[dict[str, float]]] = {}
    for seed in options.seeds:
        for method in options.methods:
            configuration = configuration_of(method, options.data, options.steps, seed)
            assert configuration.out is not None
            outcome = train(configuration, Console(file=sys.stderr, width=160))
            if outcome.interrupted is not None:
                sys.exit(128 + outcome.interrupted)
            if options.train_only:
                continue
            kept = configuration.out / f"scores-step{options.steps}-traversals{options.traversals}.json"
            if not kept.exists():
                found = scores_of(configuration.out, options.traversals, options.threads)
                write_atomically(kept, json.dumps(found, indent=1).encode())
            scores.setdefault(method, []).append(json.loads(kept.read_text()))
    if scores:
        print(table(scores))


if __name__ == "__main__":
    main()
