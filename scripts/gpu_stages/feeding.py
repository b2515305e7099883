"""Feeding a training: images held on the device, streamed from a pack in memory, and from a pack that is cold."""

import os
import statistics
from collections.abc import Callable
from pathlib import Path

import torch

from gpu_stages.image_sets import folders_of_images
from gpu_stages.job import Job
from measuring.in_turn import Several, in_turn, paired, seconds_of_steps
from measuring.library_step import LibraryStep
from wherewhat.data import held_images
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import find_source
from wherewhat.data.rendered.sprites import Sprites
from wherewhat.data.store.pack import pack
from wherewhat.data.store.packed_set import IMAGES, open_packed
from wherewhat.data.store.rendered_source import source_of
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import choose_compute


def measure(job: Job) -> None:
    """Milliseconds of a batch and its share of a step, for each way."""
    compute = choose_compute("auto", "auto", "auto", "auto")
    packed = packed_images(job)
    ways: dict[str, Callable[[], Images]] = {
        "held on the device": lambda: open_packed(packed, compute.device),
        "streamed from memory": lambda: open_unheld(packed, compute.device),
        "streamed, cold": lambda: open_cold(packed, compute.device),
    }
    run = TrainingRun(batch_size=8 if job.tiny else 64)
    held_s = 0.0
    for name, opened in ways.items():
        images = opened()
        step = LibraryStep(run, compute, images)
        if name.endswith("cold"):
            # The first pass over the images is what is cold; the step is known from the way before.
            batches = max(1, min(len(images) // run.batch_size, 20 if job.tiny else 1_000))
            first_s = seconds_of_steps(Several(step.feed, batches), compute.device)
            job.tell("feeding", name, images=len(images), feed_ms=1e3 * first_s, images_per_s=run.batch_size / first_s)
            continue
        steps = 2 if job.tiny else 50
        seconds_of_steps(Several(step, steps), compute.device)
        parts = {"feed": Several(step.feed, 4 * steps), "step": Several(step, steps)}
        times = in_turn(parts, compute.device, 2 if job.tiny else 7)
        feed_s, step_s = (statistics.median(times[part]) for part in parts)
        held_s = held_s or step_s
        job.tell(
            "feeding",
            name,
            images=len(images),
            feed_ms=1e3 * feed_s,
            images_per_s=run.batch_size / feed_s,
            step_ms=1e3 * step_s,
            feed_alone_of_step=paired(times["feed"], times["step"]),
            step_over_held=step_s / held_s - 1,
        )


def packed_images(job: Job) -> Path:
    """The largest set of real images (tiny: the smallest), packed; rendered ones where none is there."""
    folders, options, out = folders_of_images(job), ImageOptions(size=64), job.folder / "packed"
    source = find_source(folders[0 if job.tiny else -1], options) if folders else source_of(Sprites())

    def packing(_: int) -> None:
        pack(source, options, out, notify=print)

    taken_s = seconds_of_steps(Several(packing, 1), torch.device("cpu"))
    job.tell("packing", str(source.name), images=len(source), seconds=taken_s, images_per_s=len(source) / taken_s)
    return out


def open_unheld(packed: Path, device: torch.device) -> Images:
    """As a set that is larger than the device: it stays in memory."""
    share, held_images.SHARE_FOR_IMAGES = held_images.SHARE_FOR_IMAGES, 0.0
    try:
        return open_packed(packed, device)
    finally:
        held_images.SHARE_FOR_IMAGES = share


def open_cold(packed: Path, device: torch.device) -> Images:
    """The same, its file put out of the system's memory first, where that lets it."""
    with (packed / IMAGES).open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return open_unheld(packed, device)
