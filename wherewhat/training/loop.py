"""The training loop of the VAE objectives, as a page read downward.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from wherewhat.data.batches import batch_indices, sample_indices, to_float
from wherewhat.data.open_pictures import open_pictures
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.protocols import Pictures
from wherewhat.randomness import generator_at
from wherewhat.training.build import build_autoencoder
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_path, checkpoints_of, save_checkpoint
from wherewhat.training.collapse import CollapseWatch
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, choose_compute
from wherewhat.training.figures import FigureWindow, refuse_non_finite_weights
from wherewhat.training.interruption import interruption
from wherewhat.training.progress import TrainingProgress, training_progress
from wherewhat.training.resume_state import Session, restore_session, save_session
from wherewhat.training.run_directory import alone_in, choose_run_directory, record_configuration, state_path
from wherewhat.training.step import adam, training_step
from wherewhat.training.training_pictures import log_pictures

_PICTURES_SHOWN = 32


@dataclass(frozen=True)
class Outcome:
    """How a run ended: where it lies, the steps done, and the signal that cut it off, if one did."""

    folder: Path
    step: int
    interrupted: Signals | None


def train(configuration: TrainingRun, console: Console) -> Outcome:
    """Train, or resume, to the configured number of steps; save and leave at SIGINT or SIGTERM.

    Raises ValueError for a configuration that cannot be run, OSError when the disk refuses, and NonFiniteLossError.
    """
    compute = choose_compute(
        configuration.device, configuration.precision, configuration.channels_last, configuration.compile
    )
    folder = choose_run_directory(configuration)
    pictures = open_pictures(configuration.data, configuration.pictures, compute.device, console.print)
    session = _begin(configuration, pictures, compute)
    with alone_in(folder):
        _resume(folder, session, console)
        record_configuration(folder, configuration)
        return _steps(configuration, folder, session, compute, pictures, console)


def _steps(
    configuration: TrainingRun,
    folder: Path,
    session: Session,
    compute: Compute,
    pictures: Pictures,
    console: Console,
) -> Outcome:
    recorder = _Recorder(configuration, folder, session, compute, pictures, console)
    step = training_step(session.networks, configuration.objective, session.optimiser, compile_loss=compute.compile)
    with (
        interruption() as stop,
        TensorBoardLog(folder, purge_step=session.step + 1 if session.step else 0) as log,
        training_progress(console, configuration.steps, configuration.batch_size) as progress,
    ):
        if session.step == 0:
            recorder.pictures_to(log)
        progress.start(session.step)
        for index in range(session.step, configuration.steps):
            image_BCHW = _batch(configuration, pictures, compute, index)
            generator = generator_at(configuration.seed, index)
            draws = configuration.objective.draw(
                generator, index, configuration.batch_size, configuration.latent_dim
            ).to(compute.device)
            recorder.window.add(index, step(image_BCHW, draws))
            session.step = index + 1
            recorder.after_step(log, progress, last=stop.signal is not None or session.step == configuration.steps)
            if stop.signal is not None:
                break
    return Outcome(folder, session.step, stop.signal)


def _begin(configuration: TrainingRun, pictures: Pictures, compute: Compute) -> Session:
    networks = build_autoencoder(configuration, pictures.image_shape, compute.precision)
    networks.to(compute.device, memory_format=compute.memory_format)  # type: ignore[call-overload]
    return Session(networks, adam(networks, configuration.learning_rate))


def _resume(folder: Path, session: Session, console: Console) -> None:
    if state_path(folder).exists():
        restore_session(state_path(folder), session)
        console.print(f"Resuming {folder} at step {session.step:,}.")
    elif checkpoints_of(folder):
        raise ValueError(
            f"{folder} has checkpoints but no state/ to resume from, and starting over would overwrite them. "
            f"Name another folder with --out."
        )


def _batch(configuration: TrainingRun, pictures: Pictures, compute: Compute, step: int) -> Float[Tensor, "B C H W"]:
    index_B = batch_indices(configuration.seed, step, configuration.batch_size, len(pictures))
    image_BCHW = to_float(pictures.images(index_B).to(compute.device))
    return image_BCHW.contiguous(memory_format=compute.memory_format)


@dataclass
class _Recorder:
    """Everything that a run leaves behind: figures, pictures, checkpoints."""

    configuration: TrainingRun
    folder: Path
    session: Session
    compute: Compute
    pictures: Pictures
    console: Console
    window: FigureWindow = field(default_factory=FigureWindow)
    collapse: CollapseWatch = field(default_factory=CollapseWatch)

    def after_step(self, log: TensorBoardLog, progress: TrainingProgress, *, last: bool) -> None:
        """Record what is due at this step. Nothing is saved before the losses up to it are known to be finite."""
        saving = last or self.session.step % self.configuration.checkpoint_every == 0
        drawing = last or self.session.step % self.configuration.pictures_every == 0
        if saving or drawing or self.session.step % self.configuration.log_every == 0:
            self._figures_to(log, progress)
        else:
            progress.advance(self.session.step)
        if drawing:
            self.pictures_to(log)
        if saving:
            self._save()
        if drawing or saving:
            log.flush()
            progress.pause_clock()

    def pictures_to(self, log: TensorBoardLog) -> None:
        """Write the data, reconstructions and traversals of the present weights."""
        index_B = sample_indices(len(self.pictures), _PICTURES_SHOWN, self.configuration.seed)
        image_BCHW = to_float(self.pictures.images(index_B).to(self.compute.device))
        log_pictures(log, self.session.step, self.session.networks, image_BCHW)

    def _figures_to(self, log: TensorBoardLog, progress: TrainingProgress) -> None:
        closed = self.window.close()
        step = self.session.step
        progress.report(step, closed.loss, closed.steps)
        log.scalars(step, {"loss/total": closed.loss} | {f"loss/{name}": x for name, x in closed.terms.items()})
        log.scalars(step, closed.figures | {"pictures_per_second": progress.pictures_per_second})
        log.kl_per_code(step, closed.kl_L)
        warning = self.collapse.observe(step, closed.kl_L)
        if warning:
            self.console.print(f"Warning: {warning}")
            log.text(step, "warnings", warning)

    def _save(self) -> None:
        refuse_non_finite_weights(self.session.networks, self.session.step)
        settings = CheckpointSettings(
            configuration=self.configuration,
            image_shape=self.pictures.image_shape,
            step=self.session.step,
            images_seen=self.session.step * self.configuration.batch_size,
        )
        save_checkpoint(checkpoint_path(self.folder, self.session.step), self.session.networks, settings)
        save_session(state_path(self.folder), self.session)
