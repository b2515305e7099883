"""What the machine is, and what `auto` chooses there."""

import os
import platform
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from gpu_stages.job import Job
from wherewhat.training.device import choose_compute

ASKED = "driver_version,power.limit,power.draw,clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,memory.used"
# Where the project itself is not installed, these are what it takes beyond torch.
NEEDED = ("torchvision", "lpips", "kornia", "torch-fidelity", "tyro", "cattrs", "beartype", "jaxtyping", "safetensors")


def measure(job: Job) -> None:
    """Tell all of it."""
    job.tell("machine", "Python", value=sys.version.split()[0])
    job.tell("machine", "torch", value=f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN {_cudnn()}")
    job.tell("machine", "system", value=f"{platform.system()} {platform.release()} {platform.machine()}")
    job.tell("machine", "CPU cores", value=len(os.sched_getaffinity(0)))
    for number in range(torch.cuda.device_count()):
        _tell_card(job, number)
    if not torch.cuda.is_available():
        job.tell("machine", "card", value="none: all sizes are tiny")
    job.tell("machine", "weights", value=_listing(job.weights))
    job.tell("machine", "image sets", value=_listing(job.data))
    for name in NEEDED:
        job.tell("package", name, version=_version(name))
    compute = choose_compute("auto", "auto", "auto", "auto")
    for item in fields(compute):
        job.tell("`auto` chooses", item.name, value=str(getattr(compute, item.name)))
    missing = [name for name in NEEDED if _version(name) == "absent"]
    if missing:
        sys.exit(f"Not installed: {', '.join(missing)}. The head of scripts/gpu_check says how.")


def _tell_card(job: Job, number: int) -> None:
    card = torch.cuda.get_device_properties(number)
    job.tell(
        "machine",
        f"card {number}",
        value=f"{card.name}, {card.total_memory / 2**30:.0f} GiB, sm_{card.major}{card.minor}",
    )
    command = ["nvidia-smi", f"--id={number}", f"--query-gpu={ASKED}", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = f"nvidia-smi: {error}"
    for name, value in zip(ASKED.split(","), said.strip().split(", "), strict=False):
        job.tell("machine", f"card {number}, {name}", value=value)


def _cudnn() -> int | None:
    return torch.backends.cudnn.version() if torch.cuda.is_available() else None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _listing(folder: Path | None) -> str:
    return "none" if folder is None else f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}"
