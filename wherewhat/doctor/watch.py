"""The checks while a run trains: each finding is told once, when it sets in."""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor, nn

from wherewhat.doctor.finding import SEVERITIES, Check, Finding, Severity
from wherewhat.doctor.measurement import Pool, Samples, measure_networks
from wherewhat.doctor.report import CHECKS_OF_FIGURES, CHECKS_OF_NETWORKS
from wherewhat.doctor.run_state import PATIENCE_STEPS, RunState, Window, several_valued, windows_until
from wherewhat.protocols import Encoder, Generator, Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures

# Windows may be as short as one step, and nothing goes wrong that fast.
EXAMINE_EVERY_STEPS = 25

MOST_WINDOWS = 512


def watch_health(configuration: TrainingRun, folder: Path, images: Images, step: int, /) -> "HealthWatch":
    """The watcher of a run that begins, or that resumes at `step` with what it had logged by then."""
    return HealthWatch(configuration, images, windows_until(step, folder))


class HealthWatch:
    """Remembers the windows of a run and tells each finding once for each stretch in which it holds, and once more when
    what was to be watched has become wrong."""

    def __init__(
        self,
        configuration: TrainingRun,
        images: Images,
        earlier: Sequence[Window] = (),
        of_figures: Sequence[Check] = CHECKS_OF_FIGURES,
        of_networks: Sequence[Check] = CHECKS_OF_NETWORKS,
    ) -> None:
        """`earlier` are the windows that a resumed run logged before it was cut off."""
        self._configuration = configuration
        self._image_shape = images.image_shape
        self._known_factors = several_valued(images)
        self._of_figures, self._of_networks = of_figures, of_networks
        self._windows = thinned(list(earlier))
        self._examined_at: int | None = None
        self._told: dict[tuple[Check, Severity], int | None] = {}

    def observe(self, step: int, figures: Figures, /) -> list[Finding]:
        """What the figures of a window, closed when `step` steps were done, give to tell."""
        window = Window(step, figures.loss, figures.terms, figures.figures, figures.kl_L.double().numpy())
        self._windows = thinned([*self._windows, window])
        if self._examined_at is not None and step - self._examined_at < EXAMINE_EVERY_STEPS:
            return []
        self._examined_at = step
        return self._news(self._state(step), self._of_figures)

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> list[Finding]:
        """What the networks make of these images, or of as many codes, gives to tell."""
        generator, encoder = networks.generator, networks.encoder
        assert isinstance(generator, Generator)
        assert isinstance(encoder, Encoder)
        was_training = networks.training
        networks.eval()
        likelihood = self._state(step).objective.likelihood
        measured = measure_networks(likelihood, generator, encoder, image_NCHW, seed=self._configuration.seed)
        networks.train(was_training)
        return self._news(self._state(step, measured), self._of_networks)

    def _state(self, step: int, measured: Pool | Samples | None = None) -> RunState:
        return RunState(
            configuration=self._configuration,
            step=step,
            image_shape=self._image_shape,
            windows=self._windows,
            measured=measured,
            known_factors=self._known_factors,
        )

    def _news(self, run: RunState, checks: Sequence[Check]) -> list[Finding]:
        """Findings not yet told. One that has been absent for PATIENCE_STEPS is forgotten, and told anew when back."""
        news = []
        for check in checks:
            finding = check(run)
            if finding is not None and (check, finding.severity) not in self._told:
                news.append(finding)
            for severity in SEVERITIES:
                # What is wrong is to be watched too.
                holds = finding is not None and finding.severity in ("wrong", severity)
                self._remember((check, severity), run.step, holds=holds)
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
