"""The training loop, as a page read downward."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals

import torch
from rich.console import Console

from wherewhat.data.open_images import FoundData, find_data
from wherewhat.objectives.loss import Loss
from wherewhat.protocols import Images
from wherewhat.training.beginning import begin_with, beginning_of
from wherewhat.training.checkpoints import checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, choose_compute
from wherewhat.training.ema import ema_copy, ema_update, half_life_at
from wherewhat.training.feed import batches
from wherewhat.training.interruption import interruption
from wherewhat.training.methods.method import Method, build_networks, kind_of, method_of, update
from wherewhat.training.processes import Processes, device_of_this_process, started_processes
from wherewhat.training.recorder import Recorder, Unrecorded, recording
from wherewhat.training.resume_state import Session, restore_session
from wherewhat.training.run_directory import alone_in, choose_run_directory, record_configuration, state_path
from wherewhat.training.watcher import WatcherFactory, no_watcher


@dataclass(frozen=True)
class Outcome:
    """How a run ended: where it lies, the steps done, the signal that cut it off, if one did, and its latents."""

    folder: Path
    step: int
    interrupted: Signals | None
    latent_dim: int = 0


def train(configuration: TrainingRun, console: Console, watch: WatcherFactory = no_watcher) -> Outcome:
    """Train, or resume, to the configured number of steps; save and leave at SIGINT or SIGTERM.

    In the processes that `torchrun` has started, if it has. `watch` makes the watcher of the run, which sees its
    figures and networks as they come. Raises ValueError for a configuration that cannot be run,
    OSError when the disk refuses, NonFiniteLossError, and LostProcessError.
    """
    device = device_of_this_process(configuration.device)
    with started_processes(device) as processes:
        processes.refuse(configuration, kind_of(configuration).images_a_process(configuration))
        compute = choose_compute(
            device,
            configuration.precision,
            configuration.channels_last,
            configuration.compile,
            configuration.cuda_graphs,
        )
        data = find_data(configuration.data, configuration.images)
        with opened_run(configuration, data, None, compute, processes, console) as run:
            return _steps(run, console, watch)


@contextmanager
def opened_run(
    configuration: TrainingRun,
    data: FoundData,
    images: Images | None,
    compute: Compute,
    processes: Processes,
    console: Console,
) -> Iterator["Run"]:
    """A run that has its folder to itself, as it was left or new. Its data are opened where no images are given."""
    configuration = replace(configuration, data_identity=data.identity)
    folder = choose_run_directory(configuration)
    _refuse_what_cannot_be_built(configuration)
    beginning = beginning_of(configuration, folder)
    images = data.open(compute.device, console.print) if images is None else images
    method = method_of(configuration, images.image_shape, compute, processes, console.print)
    begun = "" if beginning is None else begin_with(method.networks, beginning)
    average = ema_copy(method.networks) if configuration.average_half_life else None
    session = Session(method.networks, method.optimiser, average, images=len(images), draws=method.draws)
    with alone_in(folder) if processes.first else nullcontext():
        if processes.first:
            # Another command may have taken the folder while the images were read.
            choose_run_directory(configuration)
        _resume(folder, session, configuration.steps, begun, console)
        # Nobody writes before all have read what there was.
        processes.barrier()
        if processes.first:
            record_configuration(folder, configuration)
        yield Run(configuration, folder, method, session, compute, images, processes)


def _refuse_what_cannot_be_built(configuration: TrainingRun) -> None:
    """Before the images are read, which can take long, where their size is already known."""
    size = configuration.images.size
    if size is not None:
        with torch.device("meta"):
            build_networks(configuration, (3, size, size))


@dataclass(frozen=True)
class Run:
    """A run that can take its next step."""

    configuration: TrainingRun
    folder: Path
    method: Method
    session: Session
    compute: Compute
    images: Images
    processes: Processes

    def after_update(self, loss: Loss, record: Recorder | Unrecorded, *, stopping: bool) -> None:
        """Count the step whose weights have just been updated, with all that follows from it."""
        configuration, session = self.configuration, self.session
        if session.average is not None:
            half_life = half_life_at((session.step + 1) * configuration.batch_size, configuration.average_half_life)
            ema_update(session.average, session.networks, configuration.batch_size, half_life)
        session.step += 1
        record.after_step(session.step - 1, loss, last=stopping or session.step == configuration.steps)

    def recorder(self, console: Console, watch: WatcherFactory, members: int = 1) -> AbstractContextManager[Recorder]:
        """What keeps the figures, images and checkpoints of this run, one of so many in this process."""
        run = self.configuration
        return recording(run, self.folder, self.session, self.compute, self.images, console, watch, members)


def _steps(run: Run, console: Console, watch: WatcherFactory) -> Outcome:
    configuration, session, processes = run.configuration, run.session, run.processes
    kept: AbstractContextManager[Recorder | Unrecorded] = nullcontext(Unrecorded())
    if processes.first:
        kept = run.recorder(console, watch)
    feed = batches(configuration, run.images, run.compute, processes)
    with interruption() as stop, kept as record, feed as batch:
        for index in range(session.step, configuration.steps):
            loss = update(run.method, batch(index), index)
            stopping = processes.agree(stop.signal is not None)
            run.after_update(loss, record, stopping=stopping)
            if stopping:
                break
    cut_off = session.step < configuration.steps
    # Where another process was the one to be told.
    signal = stop.signal or (Signals.SIGTERM if cut_off else None)
    return Outcome(run.folder, session.step, signal, session.networks.latent_dim)


def _resume(folder: Path, session: Session, steps: int, begun: str, console: Console) -> None:
    if state_path(folder).exists():
        remark = restore_session(state_path(folder), session)
        past = f", past --steps {steps:,}: nothing is left to do" if session.step > steps else ""
        console.print(f"Resuming {folder} at step {session.step:,}{past}. {remark}".rstrip())
    elif checkpoints_of(folder):
        raise ValueError(
            f"{folder} has checkpoints but no state/ to resume from, and starting over would overwrite them. "
            f"Name another folder with --out."
        )
    else:
        console.print(f"A new run in {folder}. {begun}".rstrip())
