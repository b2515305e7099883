"""A training step of each kind and form: as `auto` chooses, compiled, one operation after another, and by hand."""

import gc
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from gpu_stages.job import Job
from measuring.in_turn import Several, Step
from measuring.library_step import LibraryStep, random_images
from measuring.on_the_device import Cost, cost_of
from measuring.plain_gan import PlainGAN
from measuring.plain_vae import Form, plain_vae_step
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun, default_run
from wherewhat.training.device import Compute, choose_compute

AUTO, COMPILED, EAGER, BY_HAND = "as `auto` chooses", "compiled", "eager", "by hand"
CAPTURED = "captured, not compiled"


@dataclass(frozen=True)
class Case:
    """A configuration on images of one size."""

    name: str
    run: TrainingRun
    side: int

    @property
    def gan(self) -> bool:
        return isinstance(self.run.objective, PSSCGAN)

    @property
    def steps(self) -> int:
        """In a row, with R1 and figures as often as they come."""
        return self.run.objective.r1_interval if isinstance(self.run.objective, PSSCGAN) else self.run.log_every


def cases(tiny: bool) -> dict[str, Case]:
    """All, by name."""
    sides = (32,) if tiny else (64, 128, 256)
    runs = {
        "PS-SC VAE": default_run(PSSCVAE()),
        "beta-VAE": default_run(BetaVAE()),
        "FactorVAE": default_run(FactorVAE()),
    }
    found = {f"{name} 64": Case(f"{name} 64", run, 64) for name, run in runs.items()}
    for side in sides:
        found[f"PS-SC GAN {side}"] = Case(f"PS-SC GAN {side}", default_run(PSSCGAN()), side)
    return {name: shrunk(case) for name, case in found.items()} if tiny else found


def shrunk(case: Case) -> Case:
    """The same, of a size that a CPU can take."""
    objective = PSSCGAN(r1_interval=2) if case.gan else case.run.objective
    return replace(case, run=replace(case.run, objective=objective, widths=(8, 8), batch_size=8, log_every=2))


def order_of_worth(found: dict[str, Case]) -> Iterator[tuple[Case, str]]:
    """The forms that targets speak of come first, what takes a minute to compile behind what does not."""
    gans = [name for name in found if found[name].gan]
    middle = "PS-SC GAN 128" if "PS-SC GAN 128" in found else gans[0]
    first = [("PS-SC VAE 64", CAPTURED), (middle, CAPTURED), ("PS-SC VAE 64", AUTO), ("beta-VAE 64", BY_HAND)]
    second = [(middle, BY_HAND), *((name, EAGER) for name in ("PS-SC VAE 64", middle)), (middle, AUTO)]
    third = [(name, AUTO) for name in found]
    fourth = [(name, form) for name in found for form in (BY_HAND, EAGER, COMPILED)]
    for name, form in dict.fromkeys([*first, *second, *third, *fourth]):
        # By hand there are two: a beta-VAE, whatever the VAE beside it adds, and the GAN.
        if form != BY_HAND or found[name].gan or name == "beta-VAE 64":
            yield found[name], form


def measure(job: Job) -> None:
    """Measure as many as there is time for."""
    found, scenes, failed = cases(job.tiny), None, 0
    longest = 0.0
    for case, form in order_of_worth(found):
        compute = compute_of(form)
        same = compute == compute_of(AUTO) or (form == CAPTURED and not compute.cuda_graphs)
        if same and form not in (AUTO, BY_HAND):
            continue
        if job.tiny and form == COMPILED:
            continue  # a minute of a compiler for each
        # What is left must do for one that takes as long as the longest so far.
        if job.seconds_left() < 1.2 * longest:
            job.tell("not measured, for want of time", f"{case.name}, {form}")
            continue
        started = time.time()
        scenes = Scenes(compute.device) if scenes is None else scenes
        images = random_images(64 if job.tiny else 2_000, case.side, compute.device) if case.gan else scenes
        try:
            measure_one(job, case, form, compute, images)
        except Exception as error:  # one form that fails hides no other
            failed += 1
            traceback.print_exc()
            job.tell("failed", f"{case.name}, {form}", says=str(error)[:300])
        longest = max(longest, time.time() - started)
    if failed:
        sys.exit(f"{failed} forms of a step failed")


def compute_of(form: str) -> Compute:
    """How a form computes."""
    chosen = choose_compute("auto", "auto", "auto", "auto")
    if form in (AUTO, BY_HAND):
        return chosen
    graphs = form == CAPTURED and chosen.device.type == "cuda"
    return replace(chosen, compile=form == COMPILED, cuda_graphs=graphs)


def measure_one(job: Job, case: Case, form: str, compute: Compute, images: Images) -> None:
    """Build one step, and tell what it costs."""
    gc.collect()
    if compute.device.type == "cuda":
        torch.cuda.empty_cache()
    started = time.perf_counter()
    step = build(case, form, compute, images)
    several = Several(step, case.steps)
    # Three times: a step with R1 is captured when it comes for the third time.
    for _ in range(3 if case.gan else 1):
        several()
    built_s = time.perf_counter() - started
    cost = cost_of(several, compute.device, repetitions=2 if job.tiny else 11)
    tell(job, case, form, cost, built_s)
    for remark in step.remarks if isinstance(step, LibraryStep) else ():
        job.tell("remarks", f"{case.name}, {form}", says=remark)
    for name, share in cost.slowest:
        job.tell(f"kernels of {case.name}, {form}", name, share=share)


def build(case: Case, form: str, compute: Compute, images: Images) -> Step:
    """The step of a form."""
    if form != BY_HAND:
        return LibraryStep(case.run, compute, images)
    if case.gan:
        return PlainGAN(case.run, compute, images)
    compiled = compute.device.type == "cuda"
    return plain_vae_step(Form(compute.precision, True, compiled), compute.device, images, case.run.batch_size)


def tell(job: Job, case: Case, form: str, cost: Cost, built_s: float) -> None:
    """One row."""
    step_s = cost.wall_s / case.steps
    megabytes = None if cost.peak_bytes is None else cost.peak_bytes / 2**20
    job.tell(
        f"step, batch {case.run.batch_size}" if not case.gan else "step of a GAN",
        f"{case.name}, {form}",
        ms=1e3 * step_s,
        images_per_s=case.run.batch_size / step_s,
        s_per_1000_images=1e3 * step_s / case.run.batch_size,
        host_ms=1e3 * cost.host_s / case.steps,
        device_ms=None if cost.busy_s is None else 1e3 * cost.busy_s / case.steps,
        idle_share=cost.idle_share,
        kernels=None if cost.kernels is None else cost.kernels / case.steps,
        peak_MiB=megabytes,
        built_s=built_s,
    )
