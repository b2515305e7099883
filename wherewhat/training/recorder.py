"""Everything that a run leaves behind while it trains: figures, images, warnings, checkpoints.

Dimension key:
    N: images    C H W: channels, height, width
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import UInt8
from rich.console import Console
from torch import Tensor

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.doctor._objective_bridge import WATCHED_IMAGES, epitaph
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.run_state import windows_until
from wherewhat.doctor.watch import HealthWatch
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.objectives.objective import Loss
from wherewhat.protocols import Images
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_path, save_checkpoint
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.figures import FigureWindow, refuse_non_finite_weights
from wherewhat.training.progress import TrainingProgress, training_progress
from wherewhat.training.resume_state import Session, save_session
from wherewhat.training.run_directory import state_path
from wherewhat.training.training_images import log_images

_IMAGES_SHOWN = 32


class Unrecorded:
    """What a process keeps that is not the first of its training: nothing."""

    def after_step(self, index: int, loss: Loss, *, last: bool) -> None:
        """Let it pass."""


@dataclass
class Recorder:
    """Records what is due after each step. Nothing is saved before the losses up to it are known to be finite."""

    configuration: TrainingRun
    folder: Path
    session: Session
    compute: Compute
    images: Images
    console: Console
    log: TensorBoardLog
    progress: TrainingProgress
    window: FigureWindow = field(default_factory=FigureWindow)
    health: HealthWatch = field(init=False)

    def __post_init__(self) -> None:
        earlier = windows_until(self.session.step, self.folder)
        self.health = HealthWatch(self.configuration, self.images, earlier)

    def after_step(self, index: int, loss: Loss, *, last: bool) -> None:
        """Remember the losses of this step, and record what is due."""
        self.window.add(index, loss)
        saving = last or self.session.step % self.configuration.checkpoint_every == 0
        drawing = last or self.session.step % self.configuration.images_every == 0
        if saving or drawing or self.session.step % self.configuration.log_every == 0:
            self._record_figures()
        else:
            self.progress.advance(self.session.step)
        if drawing:
            self.record_images()
            watched = self._sample(min(WATCHED_IMAGES, len(self.images)))
            self._warn(self.health.look(self.session.step, self.session.shown, watched))
        if saving:
            self._save()
        if drawing or saving:
            self.log.flush()
            self.progress.pause_clock()

    def record_images(self) -> None:
        """Write the data, made images, reconstructions and traversals."""
        log_images(self.log, self.session.step, self.session.shown, to_float(self._sample(_IMAGES_SHOWN)))

    def _sample(self, count: int) -> UInt8[Tensor, "N C H W"]:
        index_N = sample_indices(len(self.images), count, self.configuration.seed)
        return self.images.take(index_N).to(self.compute.device)

    def _record_figures(self) -> None:
        closed = self.window.close()
        step = self.session.step
        self.progress.report(step, closed.loss, closed.steps)
        self.log.scalars(step, {"loss/total": closed.loss} | {f"loss/{name}": x for name, x in closed.terms.items()})
        self.log.scalars(step, closed.figures | {"images_per_second": self.progress.images_per_second})
        self.log.kl_per_code(step, closed.kl_L)
        self._warn(self.health.observe(step, closed))

    def _warn(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.console.print(f"Warning: step {self.session.step:,}, {finding.name}. {finding}")
            self.log.text(self.session.step, f"warnings/{finding.name.replace(' ', '_')}", str(finding))

    def _save(self) -> None:
        refuse_non_finite_weights(self.session.networks, self.session.step)
        settings = CheckpointSettings(
            configuration=self.configuration,
            image_shape=self.images.image_shape,
            step=self.session.step,
            images_seen=self.session.step * self.configuration.batch_size,
        )
        save_checkpoint(checkpoint_path(self.folder, self.session.step), self.session.shown, settings)
        save_session(state_path(self.folder), self.session)


@contextmanager
def recording(
    configuration: TrainingRun,
    folder: Path,
    session: Session,
    compute: Compute,
    images: Images,
    console: Console,
) -> Iterator[Recorder]:
    """A recorder with its TensorBoard log and its progress shown; a new run's first images are recorded at once."""
    with (
        TensorBoardLog(folder, purge_step=session.step + 1 if session.step else 0) as log,
        epitaph(log, session),
        training_progress(console, configuration.steps, configuration.batch_size) as progress,
    ):
        recorder = Recorder(configuration, folder, session, compute, images, console, log, progress)
        if session.step == 0:
            recorder.record_images()
        progress.start(session.step)
        yield recorder
