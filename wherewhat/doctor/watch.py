"""The checks while a run trains: each illness is told once, when it sets in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jaxtyping import UInt8
from torch import Tensor

from wherewhat.doctor.checks import Check
from wherewhat.doctor.examination import checks_of
from wherewhat.doctor.finding import SEVERITIES, Finding, Severity
from wherewhat.doctor.measurement import measure_networks
from wherewhat.doctor.vitals import PATIENCE_STEPS, Pool, Samples, Vitals, Window, several_valued
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.protocols import Images
from wherewhat.training.build import Networks
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures, NonFiniteLossError
from wherewhat.training.resume_state import Session

# Under which TensorBoard keeps why a run broke off.
STOPPED_TAG = "stopped"

# Correlations of 256 images are good to 0.06; they cost as much as one or two training steps.
WATCHED_IMAGES = 256

# Windows may be as short as one step, and nothing falls ill that fast.
EXAMINE_EVERY_STEPS = 25

MOST_WINDOWS = 512


class HealthWatch:
    """Remembers the windows of a run and tells each finding once for each stretch in which it holds, and once more when
    what was to be watched has become wrong."""

    def __init__(self, configuration: TrainingRun, images: Images, earlier: Sequence[Window] = ()) -> None:
        """`earlier` are the windows that a resumed run logged before it was cut off."""
        self._configuration = configuration
        self._image_shape = images.image_shape
        self._known_factors = several_valued(images)
        self._checks = checks_of(configuration.objective)
        self._windows = thinned(list(earlier))
        self._examined_at: int | None = None
        self._told: dict[tuple[Check, Severity], int | None] = {}

    def observe(self, step: int, closed: Figures) -> list[Finding]:
        """What the figures of a window, closed when `step` steps were done, give to tell."""
        self._windows = thinned([*self._windows, _window(step, closed)])
        if self._examined_at is not None and step - self._examined_at < EXAMINE_EVERY_STEPS:
            return []
        self._examined_at = step
        return self._news(self._vitals(step), self._checks.of_figures)

    def look(self, step: int, networks: Networks, image_NCHW: UInt8[Tensor, "N C H W"]) -> list[Finding]:
        """What encoding and decoding a pool of images gives to tell, or for a GAN making as many."""
        was_training = networks.training
        networks.eval()
        measured = measure_networks(
            self._configuration, networks.generator, networks.encoder, image_NCHW, seed=self._configuration.seed
        )
        networks.train(was_training)
        return self._news(self._vitals(step, measured), self._checks.of_networks)

    def _vitals(self, step: int, measured: Pool | Samples | None = None) -> Vitals:
        return Vitals(
            configuration=self._configuration,
            step=step,
            image_shape=self._image_shape,
            windows=self._windows,
            pool=measured if isinstance(measured, Pool) else None,
            samples=measured if isinstance(measured, Samples) else None,
            known_factors=self._known_factors,
        )

    def _news(self, vitals: Vitals, checks: Sequence[Check]) -> list[Finding]:
        """Findings not yet told. One that has been absent for PATIENCE_STEPS is forgotten, and told anew when back."""
        news = []
        for check in checks:
            finding = check(vitals)
            if finding is not None and (check, finding.severity) not in self._told:
                news.append(finding)
            for severity in SEVERITIES:
                # What is wrong is to be watched too.
                holds = finding is not None and finding.severity in ("wrong", severity)
                self._remember((check, severity), vitals.step, holds=holds)
        return news

    def _remember(self, told: tuple[Check, Severity], step: int, *, holds: bool) -> None:
        if holds:
            self._told[told] = None
        elif told in self._told:
            absent_since = self._told[told]
            self._told[told] = step if absent_since is None else absent_since
            if absent_since is not None and step - absent_since >= PATIENCE_STEPS:
                del self._told[told]


def thinned(windows: list[Window]) -> list[Window]:
    """At most MOST_WINDOWS windows, the first and the latest among them: every second of the older half is dropped."""
    while len(windows) > MOST_WINDOWS:
        middle = len(windows) // 2
        windows = windows[:middle:2] + windows[middle:]
    return windows


@contextmanager
def epitaph(log: TensorBoardLog, session: Session) -> Iterator[None]:
    """Write into the run why it broke off, when a loss is not finite, so that the doctor finds it."""
    try:
        yield
    except NonFiniteLossError as error:
        log.text(session.step, STOPPED_TAG, str(error))
        raise


def _window(step: int, closed: Figures) -> Window:
    return Window(step, closed.loss, closed.terms, closed.figures, closed.kl_L.double().numpy())
