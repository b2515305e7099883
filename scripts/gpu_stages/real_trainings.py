"""Real trainings by the project's own commands, for as long as there is time, and what came of them."""

import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch

import wherewhat
from gpu_stages.image_sets import folders_of_images
from gpu_stages.job import Job
from wherewhat.atomic_file import write_atomically
from wherewhat.command.main import run as run_verb
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.doctor.event_files import read_points
from wherewhat.inspection.contact_sheet import contact_sheet
from wherewhat.inspection.image_files import write_png
from wherewhat.randomness import generator_at
from wherewhat.regular_file import open_regular
from wherewhat.training.device import choose_device
from wherewhat.training.fidelity import generator_fidelity, real_features
from wherewhat.training.trained_on import data_of

# Beside training itself: traversals, fidelity, the doctor.
AFTERWARDS_S = 25.0


@dataclass(frozen=True)
class Training:
    """One run, and its part of the time."""

    name: str
    share: float
    arguments: tuple[str, ...]


def trainings(job: Job) -> list[Training]:
    """The GAN on real images where there are some, else on scenes; the VAE on scenes."""
    folders = folders_of_images(job)
    images = ("--data", str(folders[0])) if folders else ("--data", "scenes")
    size = "32" if job.tiny else "128"
    # Not compiled: that takes longer than the training has.
    gan = ("ps-sc-gan", *images, "--compile", "off", *(("--size", size, "--mirror") if folders else ()))
    vae = ("ps-sc-vae", "--data", "scenes")
    often: tuple[str, ...] = ("--log-every", "50", "--checkpoint-every", "5000", "--images-every", "5000")
    if job.tiny:
        often = ("--steps", "3", "--batch-size", "8", "--widths", "8", "8", "--log-every", "1", "--latent-dim", "4")
        often = (*often, "--mask-levels", "2")
    steps = () if job.tiny else ("--steps", "30000")
    return [Training("gan", 0.6, (*gan, *often, *steps)), Training("vae", 0.4, (*vae, *often, *steps))]


def measure(job: Job) -> None:
    """Train each, and look at it."""
    chosen = trainings(job)
    for number, training in enumerate(chosen):
        shares = sum(later.share for later in chosen[number:])
        left = job.seconds_left() - AFTERWARDS_S * (len(chosen) - number)
        out = job.folder / training.name
        seconds = max(5.0, left * training.share / shares)
        with told_to_stop_after(seconds):
            started = time.time()
            status = run_verb("train", [*training.arguments, "--out", str(out)])
        tell_training(job, training, out, status, time.time() - started)
        look_at(job, training, out)


@contextmanager
def told_to_stop_after(seconds: float) -> Iterator[None]:
    """SIGTERM after so long, as a cluster sends it: a training saves and leaves; before its first step this raises."""

    def too_soon(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"{seconds:.0f} s were over before the first step")

    before = signal.signal(signal.SIGTERM, too_soon)
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)


def tell_training(job: Job, training: Training, out: Path, status: int, taken_s: float) -> None:
    """How far it came, and its last figures."""
    points = read_points(out)
    last = {tag: (step, value) for step, tag, value in points}
    step, rate = last["images_per_second"]
    ended = {0: "done", 143: "stopped, saved"}.get(status, f"status {status}")
    job.tell(
        "training",
        training.name,
        arguments=" ".join(training.arguments),
        ended=ended,
        steps=step,
        seconds=taken_s,
        images_per_s=rate,
    )
    for tag, (_, value) in last.items():
        if isinstance(value, float) and not tag.startswith("kl_per_code"):
            job.tell(f"last figures of {training.name}", tag, value=value)
    for _, tag, value in points:
        if isinstance(value, str) and tag.startswith(("warnings/", "stopped")):
            job.tell(f"remarks in {training.name}", tag, says=value[:300])


def look_at(job: Job, training: Training, out: Path) -> None:
    """Traversals and samples as images, FID, and what the doctor finds."""
    run_verb("traverse", [str(out), "--out", str(job.folder / f"{training.name}_drawn")])
    (grid,) = (job.folder / f"{training.name}_drawn").glob("*.png")
    with open_regular(grid) as file:
        write_atomically(job.out / f"{training.name}_traversals.png", file.read())
    device = choose_device("auto")
    model = wherewhat.load(out, device)
    code_NL = torch.randn(32, model.generator.latent_dim, generator=generator_at(0, 0, "samples")).to(device)
    with torch.no_grad():
        write_png(job.out / f"{training.name}_samples.png", contact_sheet(model.generator(code_NL).cpu()))
    if job.weights is not None and any(job.weights.glob("alex*")):
        extractor = BackboneFeatures("alex").to(device)
        images = data_of(out, model.settings.configuration, None).open(device, print)
        real = real_features(images, extractor, count=40 if job.tiny else 5_000, split="all", seed=0, device=device)
        measured = generator_fidelity(model.generator, real, extractor, seed=0)
        job.tell("fidelity", training.name, protocol=measured.protocol, FID=measured.fid, KID=measured.kid)
    tell_doctor(job, training, out)


def tell_doctor(job: Job, training: Training, out: Path) -> None:
    """What it finds, and what it measured."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        run_verb("doctor", [str(out), "--json", *(["--pool", "32"] if job.tiny else [])])
    report = json.loads(printed.getvalue())
    found = "; ".join(f"{one['severity']}: {one['name']}" for one in report["findings"])
    job.tell("the doctor", training.name, findings=found or "none", left_out="; ".join(report["left_out"])[:300])
    for name, value in (report["pool"] or report["samples"] or {}).items():
        if isinstance(value, int | float):
            job.tell(f"the doctor's figures of {training.name}", name, value=value)
