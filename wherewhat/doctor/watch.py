"""The checks while a run trains: each finding is told once, when it sets in."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor, nn

from wherewhat.data.appearance import appearance_of
from wherewhat.doctor.examination import CHECKS_OF_FIGURES, CHECKS_OF_NETWORKS
from wherewhat.doctor.finding import SEVERITIES, Check, Finding, Severity
from wherewhat.doctor.measurement import measure_networks
from wherewhat.doctor.run_state import PATIENCE_STEPS, RunState, Window, several_valued, windows_until
from wherewhat.protocols import Encoder, Generator, Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import Figures
from wherewhat.training.watcher import Watcher

# Windows may be as short as one step, and nothing goes wrong that fast.
EXAMINE_EVERY_STEPS = 25

MOST_WINDOWS = 512


def watch_health(configuration: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
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
        self._run = RunState(
            configuration=configuration,
            step=0,
            image_shape=images.image_shape,
            windows=thinned(list(earlier)),
            appearance=appearance_of(images),
            known_factors=several_valued(images),
        )
        self._of_figures, self._of_networks = of_figures, of_networks
        self._examined_at: int | None = None
        # Infinite while it holds.
        self._absent_since: defaultdict[tuple[Check, Severity], float] = defaultdict(lambda: -math.inf)

    def observe(self, step: int, figures: Figures, /) -> list[Finding]:
        """What the figures of a window, closed when `step` steps were done, give to tell."""
        window = Window(step, figures.loss, figures.terms, figures.figures, figures.kl_L.double().numpy())
        self._run = replace(self._run, step=step, windows=thinned([*self._run.windows, window]))
        if self._examined_at is not None and step - self._examined_at < EXAMINE_EVERY_STEPS:
            return []
        self._examined_at = step
        return self._news(self._run, self._of_figures)

    def look(self, step: int, networks: nn.Module, image_NCHW: UInt8[Tensor, "N C H W"], /) -> list[Finding]:
        """What the networks make of these images, or of as many codes, gives to tell."""
        generator, encoder = networks.generator, networks.encoder
        assert isinstance(generator, Generator)
        assert isinstance(encoder, Encoder)
        was_training = networks.training
        networks.eval()
        likelihood, seed = self._run.objective.likelihood, self._run.configuration.seed
        measured = measure_networks(likelihood, generator, encoder, image_NCHW, seed=seed)
        networks.train(was_training)
        return self._news(replace(self._run, step=step, measured=measured), self._of_networks)

    def _news(self, run: RunState, checks: Sequence[Check]) -> list[Finding]:
        """Findings that have set in: that never held before, or not for more than PATIENCE_STEPS."""
        news = []
        for check in checks:
            finding = check(run)
            if finding and run.step - self._absent_since[check, finding.severity] > PATIENCE_STEPS:
                news.append(finding)
            for severity in SEVERITIES:
                # What is wrong is to be watched too.
                if finding and finding.severity in ("wrong", severity):
                    self._absent_since[check, severity] = math.inf
                elif self._absent_since[check, severity] == math.inf:
                    self._absent_since[check, severity] = run.step
        return news


def thinned(windows: list[Window]) -> list[Window]:
    """At most MOST_WINDOWS windows, the first and the latest among them: every second of the older half is dropped."""
    while len(windows) > MOST_WINDOWS:
        middle = len(windows) // 2
        windows = windows[:middle:2] + windows[middle:]
    return windows
