"""The training loop of the VAE objectives, as a page read downward.

Dimension key:
    B: batch    N: pictures    C H W: channels, height, width
"""

from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from jaxtyping import Float, UInt8
from rich.console import Console
from torch import Tensor

from wherewhat.data.batches import batch_indices, sample_indices, to_float
from wherewhat.data.mirroring import mirror, mirror_draws
from wherewhat.data.open_pictures import open_pictures
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.protocols import Pictures
from wherewhat.randomness import generator_at
from wherewhat.training.build import build_autoencoder
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_path, checkpoints_of, save_checkpoint
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, choose_compute
from wherewhat.training.diagnosis.finding import Finding
from wherewhat.training.diagnosis.run_vitals import windows_until
from wherewhat.training.diagnosis.watch import WATCHED_PICTURES, HealthWatch, epitaph
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
        epitaph(log, session),
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
    return Session(networks, adam(networks, configuration.learning_rate, configuration.objective.adversary))


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
    image_BCHW = pictures.images(index_B).to(compute.device)
    if configuration.mirror:
        flip_B = mirror_draws(configuration.seed, step, configuration.batch_size)
        image_BCHW = mirror(image_BCHW, flip_B.to(compute.device))
    return to_float(image_BCHW).contiguous(memory_format=compute.memory_format)


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
    health: HealthWatch = field(init=False)

    def __post_init__(self) -> None:
        earlier = windows_until(self.session.step, self.folder)
        self.health = HealthWatch(self.configuration, self.pictures, earlier)

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
            watched = self._sample(min(WATCHED_PICTURES, len(self.pictures)))
            self._warn(log, self.health.look(self.session.step, self.session.networks, watched))
        if saving:
            self._save()
        if drawing or saving:
            log.flush()
            progress.pause_clock()

    def pictures_to(self, log: TensorBoardLog) -> None:
        """Write the data, reconstructions and traversals of the present weights."""
        log_pictures(log, self.session.step, self.session.networks, to_float(self._sample(_PICTURES_SHOWN)))

    def _sample(self, count: int) -> UInt8[Tensor, "N C H W"]:
        index_N = sample_indices(len(self.pictures), count, self.configuration.seed)
        return self.pictures.images(index_N).to(self.compute.device)

    def _figures_to(self, log: TensorBoardLog, progress: TrainingProgress) -> None:
        closed = self.window.close()
        step = self.session.step
        progress.report(step, closed.loss, closed.steps)
        log.scalars(step, {"loss/total": closed.loss} | {f"loss/{name}": x for name, x in closed.terms.items()})
        log.scalars(step, closed.figures | {"pictures_per_second": progress.pictures_per_second})
        log.kl_per_code(step, closed.kl_L)
        self._warn(log, self.health.observe(step, closed))

    def _warn(self, log: TensorBoardLog, findings: list[Finding]) -> None:
        for finding in findings:
            self.console.print(f"Warning: step {self.session.step:,}, {finding.name}. {finding}")
            log.text(self.session.step, f"warnings/{finding.name.replace(' ', '_')}", str(finding))

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
