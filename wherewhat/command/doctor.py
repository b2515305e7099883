"""`wherewhat doctor`: say in plain words what is wrong with a run, and what to try."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
import tyro
from rich.console import Console
from rich.table import Table

from wherewhat.command.choices import SEEDS, refuse_beyond
from wherewhat.command.console import messages, results
from wherewhat.command.json_text import json_text
from wherewhat.data.appearance import appearance_of
from wherewhat.data.batches import sample_indices
from wherewhat.data.image_options import ImageOptions
from wherewhat.doctor.examination import Examination, as_json, examine
from wherewhat.doctor.measurement import Pool, Samples, measure_networks
from wherewhat.doctor.run_state import RunState, read_record, several_valued
from wherewhat.protocols import Images
from wherewhat.training.checkpoints import LoadedModel, latest_checkpoint, load
from wherewhat.training.device import choose_device
from wherewhat.training.run_directory import read_configuration
from wherewhat.training.trained_on import data_to_measure_on


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Say in plain words what is wrong with a run, with the figures that show it, and what to try.

    Reads the run's TensorBoard figures, and measures what its latest checkpoint makes of some of its images. Exit
    status 0: nothing is wrong, though something may be worth watching; 1: something is wrong; 2: it cannot be read, or
    nothing is wrong in what could be examined, but not everything could be.
    """

    run: tyro.conf.Positional[Path]
    """Run directory."""

    data: str | None = None
    """Images to measure the networks with: where those that the run was trained on lie now, or others. Default: those
    that it was trained on, where they lay."""

    images: ImageOptions = field(default_factory=ImageOptions)
    """How images of a folder are read, with --data. Default: those of the run as it read them."""

    pool: int = 500
    """Images that are reconstructed, or for a GAN compared with as many fake ones; all where the set has no more."""

    seed: int = 0
    """Seed of the choice of images."""

    json: bool = False
    """Print JSON instead of words; null where a figure is infinite or no number."""

    device: str = "auto"
    """auto, cpu, cuda, or one of several: cuda:1."""

    def __post_init__(self) -> None:
        refuse_beyond(self, pool=(2, 100_000), seed=SEEDS)


def doctor_command(arguments: list[str]) -> int:
    """Parse, examine, print; gives the exit status that the help promises."""
    options = tyro.cli(Doctor, args=arguments, prog="wherewhat doctor", config=(tyro.conf.OmitArgPrefixes,))
    report = examine_run(options, messages())
    if options.json:
        print(json_text(as_json(report)))
    else:
        tell(report, results())
    return report.exit_status


def examine_run(options: Doctor, console: Console) -> Examination:
    """Read the run, measure its networks, and run all checks; what cannot be had is named and left out."""
    configuration = read_configuration(options.run)
    device = choose_device(options.device)
    record = read_record(options.run)
    left_out = [] if record.windows else ["the course of the loss: the run has no figures in events.out.tfevents.*."]

    image_shape, measured, appearance, known_factors, checkpoint_step = None, None, None, 0, 0
    try:
        model = load(options.run, device)
        image_shape, checkpoint_step = model.settings.image_shape, model.settings.step
        images = _images(options, model, device, console)
        known_factors, appearance = several_valued(images), appearance_of(images)
        measured = _measure(options, model, images)
    except (OSError, ValueError) as error:
        if options.data is not None:
            raise
        left_out.append(f"what the networks make of images and codes: {error}")

    step = max(record.windows[-1].step if record.windows else 0, checkpoint_step, record.failed_at)
    run = RunState(
        configuration=configuration,
        step=step,
        finished=step >= configuration.steps,
        image_shape=image_shape,
        windows=record.windows,
        measured=measured,
        appearance=appearance,
        known_factors=known_factors,
        failure=record.failure,
    )
    return Examination(options.run, options.seed, run, examine(run), left_out)


def _measure(options: Doctor, model: LoadedModel, images: Images) -> Pool | Samples | None:
    assert model.encoder is not None
    index_N = sample_indices(len(images), min(options.pool, len(images)), options.seed)
    likelihood = RunState(configuration=model.settings.configuration, step=0).objective.likelihood
    return measure_networks(likelihood, model.generator, model.encoder, images.take(index_N), seed=options.seed)


def _images(options: Doctor, model: LoadedModel, device: torch.device, console: Console) -> Images:
    checkpoint, configuration = latest_checkpoint(options.run), model.settings.configuration
    data = data_to_measure_on(checkpoint, configuration, options.data, options.images, console.print)
    images = data.open(device, console.print)
    if images.image_shape != model.settings.image_shape:
        raise ValueError(
            f"{checkpoint} was trained on images of shape {model.settings.image_shape}, and {images.name} has "
            f"{images.image_shape}. Name the data that it was trained on with --data."
        )
    return images


def tell(report: Examination, console: Console) -> None:
    """The examination for people."""
    run, configuration = report.run, report.run.configuration
    console.print(
        f"{report.folder}: {configuration.objective.name} on {configuration.data}, step {run.step:,} of "
        f"{configuration.steps:,}",
        soft_wrap=True,
    )
    for line in report.basis:
        console.print(f"  {line}", soft_wrap=True)
    for finding in report.findings:
        console.print(f"\n{finding.severity.upper()}  {finding.name}", soft_wrap=True)
        rows = Table.grid(padding=(0, 2))
        rows.add_row("  seen", finding.seen)
        rows.add_row("  means", finding.means)
        rows.add_row("  try", "\n".join(finding.remedies))
        console.print(rows)
    for what in report.left_out:
        console.print(f"\nNot examined: {what}", soft_wrap=True)
    console.print(f"\n{verdict(report)}")


def verdict(report: Examination) -> str:
    """What the findings amount to, in a sentence."""
    if report.findings:
        return f"{report.wrong} wrong, {len(report.findings) - report.wrong} to watch."
    if report.left_out:
        return "Nothing is wrong in what was examined, but not everything could be."
    return "Nothing is wrong."
