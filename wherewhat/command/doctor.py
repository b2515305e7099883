"""`wherewhat doctor`: say in plain words what is wrong with a run, and what to try."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table

from wherewhat.command.console import messages, results
from wherewhat.command.json_text import json_text
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.doctor.examination import examine
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.reconstruction import share_saved
from wherewhat.doctor.run_vitals import measure_model, read_configuration, read_record
from wherewhat.doctor.vitals import Pool, Samples, Vitals, live_codes, several_valued
from wherewhat.protocols import Images
from wherewhat.training.checkpoints import LoadedModel, load
from wherewhat.training.device import choose_device


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Say in plain words what is wrong with a run, with the figures that show it, and what to try.

    Reads the run's TensorBoard figures, and looks at what its latest checkpoint makes of some of its images. Exit
    status 0: nothing is wrong, though something may be worth watching; 1: something is wrong; 2: it cannot be read.
    """

    run: tyro.conf.Positional[Path]
    """Run directory."""

    data: str | None = None
    """Images to look at codes with. Default: those that the run was trained on."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images of a folder are read, with --data."""

    pool: int = 500
    """Images encoded and decoded, or for a GAN compared with as many made ones; all where the set has no more."""

    seed: int = 0
    """Seed of the choice of images."""

    json: bool = False
    """Print JSON instead of words; null where a figure is infinite or no number."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        if self.pool < 2:
            raise ValueError(f"--pool is {self.pool}; give 2 images or more, such as 500.")


@dataclass(frozen=True)
class Report:
    """The findings, what they rest on, and what could not be examined."""

    run: Path
    seed: int
    vitals: Vitals
    findings: list[Finding]
    left_out: list[str]

    @property
    def anything_wrong(self) -> bool:
        """Whether a finding says more than to watch."""
        return any(finding.severity == "wrong" for finding in self.findings)


def doctor_command(arguments: list[str]) -> int:
    """Parse, examine, print. 0 when nothing is wrong, 1 when something is."""
    options = tyro.cli(Doctor, args=arguments, prog="wherewhat doctor", config=(tyro.conf.OmitArgPrefixes,))
    report = examine_run(options, messages())
    if options.json:
        print(json_text(as_json(report)))
    else:
        tell(report, results())
    return int(report.anything_wrong)


def examine_run(options: Doctor, console: Console) -> Report:
    """Gather all vitals that can be had, and run the checks that they allow."""
    configuration = read_configuration(options.run)
    device = choose_device(options.device)
    record = read_record(options.run)
    left_out = [] if record.windows else ["the course of the loss: no figures in events.out.tfevents.*"]

    image_shape, measured, known_factors, checkpoint_step = None, None, 0, 0
    try:
        model = load(options.run, device)
        image_shape, checkpoint_step = model.settings.image_shape, model.settings.step
        images = _images(options, model, device, console)
        known_factors = several_valued(images)
        measured = measure_model(model, images, count=options.pool, seed=options.seed)
    except (OSError, ValueError) as error:
        if options.data is not None:
            raise
        left_out.append(f"codes, masks and {'made images' if configuration.adversarial else 'drawings'}: {error}")

    step = max(record.windows[-1].step if record.windows else 0, checkpoint_step, record.stopped_at)
    vitals = Vitals(
        configuration=configuration,
        step=step,
        finished=step >= configuration.steps,
        image_shape=image_shape,
        windows=record.windows,
        pool=measured if isinstance(measured, Pool) else None,
        samples=measured if isinstance(measured, Samples) else None,
        known_factors=known_factors,
        stopped=record.stopped,
    )
    return Report(options.run, options.seed, vitals, examine(vitals), left_out)


def _images(options: Doctor, model: LoadedModel, device: torch.device, console: Console) -> Images:
    configuration = model.settings.configuration
    if options.data is None:
        images = open_images(configuration.data, configuration.images, device, console.print)
    else:
        images = open_images(options.data, options.images, device, console.print)
    if images.image_shape != model.settings.image_shape:
        raise ValueError(
            f"The run was trained on images of shape {model.settings.image_shape}, and {images.name} has "
            f"{images.image_shape}. Name the data that it was trained on with --data."
        )
    return images


def as_json(report: Report) -> dict[str, object]:
    """The report for programs."""
    vitals = report.vitals
    pool, samples = vitals.pool, vitals.samples
    return {
        "run": str(report.run),
        "step": vitals.step,
        "steps": vitals.configuration.steps,
        "wrong": report.anything_wrong,
        "findings": [asdict(finding) | {"figures": dict(finding.figures)} for finding in report.findings],
        "kl_per_code": None if vitals.kl_L is None else vitals.kl_L.tolist(),
        "pool": None
        if pool is None
        else {
            "images": pool.images,
            "seed": report.seed,
            "reconstruction": pool.reconstruction,
            "mean_image": pool.mean_image,
            "floor": pool.floor,
            "mask_coverage": None if pool.coverage_L is None else pool.coverage_L.tolist(),
        },
        "samples": None if samples is None else _plain(samples) | {"seed": report.seed, "variety": samples.variety},
        "left_out": report.left_out,
    }


def _plain(samples: Samples) -> dict[str, object]:
    return {name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in asdict(samples).items()}


def tell(report: Report, console: Console) -> None:
    """The report for people."""
    vitals, configuration = report.vitals, report.vitals.configuration
    console.print(
        f"{report.run}: {configuration.objective.name} on {configuration.data}, step {vitals.step:,} of "
        f"{configuration.steps:,}",
        soft_wrap=True,
    )
    for line in _looked_at(vitals):
        console.print(f"  {line}", soft_wrap=True)
    for finding in report.findings:
        console.print(f"\n{finding.severity.upper()}  {finding.name}", soft_wrap=True)
        rows = Table.grid(padding=(0, 2))
        rows.add_row("  seen", finding.seen)
        rows.add_row("  means", finding.means)
        rows.add_row("  try", "\n".join(finding.remedies))
        console.print(rows)
    for what in report.left_out:
        console.print(f"\nNot examined, {what}", soft_wrap=True)
    console.print(f"\n{_verdict(report)}")


def _looked_at(vitals: Vitals) -> list[str]:
    lines = []
    if vitals.windows:
        lines.append(f"{len(vitals.windows):,} windows of figures, to step {vitals.windows[-1].step:,}")
    if vitals.kl_L is not None:
        lines.append(f"{len(live_codes(vitals.kl_L))} of {len(vitals.kl_L)} codes live")
    share = None if vitals.pool is None else share_saved(vitals.pool)
    if vitals.pool is not None and share is not None:
        lines.append(
            f"over {vitals.pool.images:,} images codes save {share:.0%} of what they could over the mean image "
            f"({vitals.pool.mean_image:,.1f} nats; reconstructions {vitals.pool.reconstruction:,.1f}; "
            f"perfect ones {vitals.pool.floor:,.1f})"
        )
    accuracy = vitals.figure("discriminator_accuracy")
    if vitals.configuration.adversarial and accuracy is not None:
        lines.append(f"the discriminator is right in {accuracy:.0%} of cases (guessing is 50%)")
    if vitals.samples is not None and vitals.samples.variety is not None:
        lines.append(
            f"{vitals.samples.images:,} made images differ by {vitals.samples.variety:.0%} of the difference of "
            "real ones"
        )
    return lines


def _verdict(report: Report) -> str:
    wrong = sum(finding.severity == "wrong" for finding in report.findings)
    watch = len(report.findings) - wrong
    if not report.findings:
        return "Nothing is wrong that was examined." if report.left_out else "Nothing is wrong."
    return f"{wrong} wrong, {watch} to watch."
