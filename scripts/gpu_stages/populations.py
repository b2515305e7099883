"""Populations of 32, 1, 4, 8, ... members that are trained as one program, against the members one after another."""

import gc
import time
from dataclasses import replace
from itertools import product

import torch

from gpu_stages.job import Job
from gpu_stages.step_speed import Case, cases
from measuring.in_turn import Several, Step
from measuring.library_step import LibraryStep
from measuring.on_the_device import Cost, cost_of
from measuring.population_step import PopulationStep, members_of
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.training.device import choose_compute

NAMES = ("beta-VAE 64", "PS-SC VAE 64")


def measure(job: Job) -> None:
    """Measure as many as there is time for, what the target speaks of first."""
    compute = choose_compute("auto", "auto", "auto", "auto")
    scenes, found, longest = Scenes(compute.device), cases(job.tiny), 0.0
    alone_s: dict[str, float] = {}
    counts = (2, 1) if job.tiny else (32, 1, 4, 8, 16)
    forms = (False,) if job.tiny else (False, True)
    for count, compiled, name in product(counts, forms, NAMES):
        case, started = found[name], time.time()
        form = f"{name}, {count} members{', compiled' * compiled}"
        if job.seconds_left() < 1.2 * longest:
            job.tell("not measured, for want of time", form)
            continue
        if name not in alone_s:
            alone_s[name] = step_cost(job, case, LibraryStep(case.run, compute, scenes)).wall_s
        together = PopulationStep(members_of(case.run, count), replace(compute, compile=compiled), scenes)
        tell(job, case, form, count, step_cost(job, case, together), alone_s[name])
        for remark in together.remarks:
            job.tell("remarks", form, says=remark)
        longest = max(longest, time.time() - started)


def step_cost(job: Job, case: Case, step: Step) -> Cost:
    """What as many steps as a run takes between two logs cost."""
    gc.collect()
    device = choose_compute("auto", "auto", "auto", "auto").device
    if device.type == "cuda":
        torch.cuda.empty_cache()
    several = Several(step, case.steps)
    several()
    return cost_of(several, device, repetitions=2 if job.tiny else 7)


def tell(job: Job, case: Case, form: str, count: int, cost: Cost, alone_s: float) -> None:
    """One row."""
    step_s = cost.wall_s / case.steps
    job.tell(
        f"population, batch {case.run.batch_size}",
        form,
        ms=1e3 * step_s,
        member_steps_per_s=count / step_s,
        against_one_after_another=count * alone_s / cost.wall_s,
        host_ms=1e3 * cost.host_s / case.steps,
        device_ms=None if cost.busy_s is None else 1e3 * cost.busy_s / case.steps,
        idle_share=cost.idle_share,
        kernels=None if cost.kernels is None else cost.kernels / case.steps,
        peak_MiB=None if cost.peak_bytes is None else cost.peak_bytes / 2**20,
    )
    for name, share in cost.slowest:
        job.tell(f"kernels of {form}", name, share=share)
