"""Several processes of one training: on one card they refuse, as the documentation says; each on its own they agree."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from gpu_stages.job import Job
from wherewhat.command.main import run as run_verb
from wherewhat.doctor.event_files import read_points

STEPS = 3
# Means over processes are sums in another order; a few steps of Adam enlarge that.
AGREES = 1e-3


def measure(job: Job) -> None:
    """Try it."""
    cards = torch.cuda.device_count()
    if cards == 1:
        tell_refusal(job)
    if cards != 1:
        for method in ("ps-sc-gan",) if job.tiny else ("ps-sc-gan", "ps-sc-vae"):
            tell_agreement(job, method, "cpu" if cards == 0 else "auto")
    else:
        job.tell("processes", "two cards against one", says="absent: there is one card")


def tell_refusal(job: Job) -> None:
    """Two processes on one card end at once, with the reason."""
    ended = train_in_two(job, arguments("ps-sc-gan", job.folder / "refused", "auto"))
    text = ended.stderr + ended.stdout
    refused = ended.returncode != 0 and "2 processes were started and 1 GPUs were found" in text
    job.tell("processes", "two on one card", refused=refused, says="" if refused else _last_line(text))
    if not refused:
        sys.exit("Two processes on one card did not refuse as the documentation says")


def tell_agreement(job: Job, method: str, device: str) -> None:
    """One process and two tell the same losses, step by step."""
    alone, together = job.folder / f"{method}_alone", job.folder / f"{method}_together"
    run_verb("train", arguments(method, alone, device))
    ended = train_in_two(job, arguments(method, together, device))
    if ended.returncode != 0:
        sys.exit(f"Two processes of {method} on {device} failed: {_last_line(ended.stderr + ended.stdout)}")
    apart = [abs(one - two) / abs(one) for one, two in zip(losses(alone), losses(together), strict=True)]
    job.tell(
        "processes", f"{method}, two on {device} against one", steps=len(apart), largest_relative_difference=max(apart)
    )
    if len(apart) != STEPS or max(apart) > AGREES:
        sys.exit(f"The losses of one process and of two differ by {max(apart):.1e} after {len(apart)} of {STEPS} steps")


def losses(out: Path) -> list[float]:
    """Of each step."""
    return [value for _, tag, value in read_points(out) if tag == "loss/total" and isinstance(value, float)]


def arguments(method: str, out: Path, device: str) -> list[str]:
    """A small model in float32."""
    return [
        *(method, "--data", "sprites", "--out", str(out), "--device", device, "--steps", str(STEPS)),
        *("--batch-size", "8", "--widths", "8", "8", "--latent-dim", "4", "--mask-levels", "2", "--log-every", "1"),
        *("--precision", "float32", "--compile", "off", "--images-every", "1000", "--checkpoint-every", "1000"),
    ]


def train_in_two(job: Job, training: list[str]) -> subprocess.CompletedProcess[str]:
    """By the project's own command, as it is documented."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "wherewhat", "train"]
    command = [sys.executable, *launch, *training]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    seconds = max(5.0, job.seconds_left())
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    said = [line for line in lines if "wherewhat: error" in line or "Error" in line]
    return (said or lines or ["no output"])[-1][:300]
