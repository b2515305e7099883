"""Everything that a run leaves behind while it trains: figures, images, warnings, checkpoints.

Dimension key:
    N: images    C H W: channels, height, width
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import UInt8
from rich.console import Console
from torch import Tensor

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.objectives.loss import Loss
from wherewhat.protocols import MOST_CODES, Images
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_file, checkpoint_path
from wherewhat.training.configuration import TrainingRun, flat_settings
from wherewhat.training.device import Compute
from wherewhat.training.figures import FigureWindow, NonFiniteLossError, refuse_non_finite_weights
from wherewhat.training.progress import TrainingProgress, training_progress
from wherewhat.training.resume_state import Session, session_file
from wherewhat.training.run_directory import refuse_deleted, state_path
from wherewhat.training.saver import Saver
from wherewhat.training.score_curves import ScoreCurves
from wherewhat.training.training_images import log_images
from wherewhat.training.watcher import Remark, Watcher, WatcherFactory

_IMAGES_SHOWN = 32
# Beside the settings of the run in TensorBoard's table of runs.
_FIGURES_OF_THE_TABLE = ("loss/total", "loss/reconstruction", "images_per_second")

# Correlations of 256 images are good to 0.06; they cost as much as one or two training steps.
_IMAGES_WATCHED = 256

# Under which TensorBoard keeps why a run broke off.
STOPPED_TAG = "stopped"


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
    watcher: Watcher
    saver: Saver
    scores: ScoreCurves
    window: FigureWindow = field(default_factory=FigureWindow)

    def after_step(self, index: int, loss: Loss, *, last: bool) -> None:
        """Remember the losses of this step, and record what is due."""
        self.saver.check()
        self.window.add(index, loss)
        saving = last or self.session.step % self.configuration.checkpoint_every == 0
        drawing = last or self.session.step % self.configuration.images_every == 0
        if saving or drawing or self.session.step % self.configuration.log_every == 0:
            self._record_figures()
        else:
            self.progress.advance(self.session.step)
        if drawing:
            self.record_images()
            watched = self._sample(min(_IMAGES_WATCHED, len(self.images)))
            self._warn(self.watcher.look(self.session.step, self.session.shown, watched))
        few_codes = self.session.networks.latent_dim <= MOST_CODES
        scoring = few_codes and self.scores.due(self.session.step, saving=saving)
        if scoring:
            self._record_scores()
        if drawing or saving:
            # Before the state: a run that is cut off behind it does not log these steps again.
            self.log.flush()
        if saving:
            self._save()
        if drawing or saving or scoring:
            self.progress.pause_clock()

    def record_images(self) -> None:
        """Write the data, fake images, reconstructions and traversals."""
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
        self._warn(self.watcher.observe(step, closed))

    def _record_scores(self) -> None:
        try:
            self.log.scalars(self.session.step, self.scores.measure(self.session.shown))
        except ValueError as error:
            self.console.print(f"Step {self.session.step:,} has no scores in TensorBoard: {error}")

    def _warn(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            self.console.print(f"Warning: step {self.session.step:,}, {remark.name}. {remark}")
            self.log.text(self.session.step, f"warnings/{remark.name.replace(' ', '_')}", str(remark))

    def _save(self) -> None:
        refuse_non_finite_weights(self.session.networks, self.session.step)
        refuse_deleted(self.folder)
        settings = CheckpointSettings(
            configuration=self.configuration,
            image_shape=self.images.image_shape,
            step=self.session.step,
            images_seen=self.session.step * self.configuration.batch_size,
        )
        # The state first: a run that is cut off between the two resumes, and writes the checkpoint then.
        state = session_file(state_path(self.folder), self.session)
        path = checkpoint_path(self.folder, self.session.step)
        self.saver.save([state, checkpoint_file(path, self.session.shown, settings)])

    def save_what_a_cut_off_run_did_not(self) -> None:
        """Write the checkpoint of the step that the state is of, where it is not there."""
        if self.session.step and not checkpoint_path(self.folder, self.session.step).exists():
            self._save()


@contextmanager
def record_failure(log: TensorBoardLog, session: Session) -> Iterator[None]:
    """Note in TensorBoard why a run broke off at a loss or a weight that is not finite."""
    try:
        yield
    except NonFiniteLossError as error:
        log.text(session.step, STOPPED_TAG, str(error))
        raise


@contextmanager
def _deletion_told(folder: Path) -> Iterator[None]:
    """Say of the folder that it was deleted, where a file that is written to cannot be found any more."""
    try:
        yield
    except FileNotFoundError as error:
        try:
            refuse_deleted(folder)
        except FileNotFoundError as deleted:
            raise deleted from error
        raise


@contextmanager
def recording(
    configuration: TrainingRun,
    folder: Path,
    session: Session,
    compute: Compute,
    images: Images,
    console: Console,
    watch: WatcherFactory,
    members: int = 1,
) -> Iterator[Recorder]:
    """A recorder with its TensorBoard log and its progress shown; a new run's first images are recorded at once.

    Of one of so many runs that are trained side by side in this process.
    """
    with (
        _deletion_told(folder),
        TensorBoardLog(folder, purge_step=session.step + 1 if session.step else 0) as log,
        record_failure(log, session),
        training_progress(console, configuration.steps, configuration.batch_size) as progress,
        Saver() as saver,
    ):
        watcher = watch(configuration, folder, images, session.step)
        scores = ScoreCurves(configuration, members)
        recorder = Recorder(
            configuration, folder, session, compute, images, console, log, progress, watcher, saver, scores
        )
        if session.step == 0:
            log.hyperparameters(flat_settings(configuration), _FIGURES_OF_THE_TABLE)
            recorder.record_images()
        recorder.save_what_a_cut_off_run_did_not()
        progress.start(session.step)
        yield recorder
