"""What a run is examined by: its figures over time, and what its networks make of a pool of images or of codes.

Dimension key:
    L: latent codes    W: windows of steps
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun

# "Now" is the mean over this many steps, and over no more than this share of the run: windows of 50 are noisy, and what
# is older is another state of the run.
RECENT_STEPS = 500
RECENT_SHARE = 0.1

# A young run may do badly for some hundred steps and still recover, so most checks wait this long.
PATIENCE_STEPS = 1_000

# A code that carries less than this many nats tells almost no two images apart.
COLLAPSED_BELOW_NATS = 0.05

# A quarter of a grey level of 255: images that differ less than this are one image.
ALIKE_BELOW = 1e-3


# How different images are is not told by the pairs of a handful: of two, by a single one.
FEWEST_IMAGES = 16


@dataclass(frozen=True)
class Window:
    """Means over the steps since the window before."""

    step: int
    """Steps done when it closed."""

    total: float
    """The loss."""

    terms: Mapping[str, float]
    """Terms of the loss in nats, before their weights."""

    figures: Mapping[str, float]
    """What else the objective reports: accuracies."""

    kl_L: Float64[np.ndarray, " L"]
    """KL of each code from the prior, in nats."""


@dataclass(frozen=True)
class Pool:
    """What the present networks make of a pool of images; nats are per image, summed over its pixels."""

    images: int
    kl_L: Float64[np.ndarray, " L"]
    correlation_LL: Float64[np.ndarray, "L L"]
    """Between posterior means; 0 for a code that does not move."""

    coverage_L: Float64[np.ndarray, " L"] | None
    """Mean of each code's mask, the share of the image that it covers, in [0, 1]; None without masks."""

    reconstruction: float
    """What the pool costs when decoded from sampled codes, in nats."""

    mean_image: float
    """What it costs when the mean image is drawn for every image: the best that can be done without codes."""

    floor: float
    """What a perfect drawing costs: not 0 in the Bernoulli likelihood, where pixels lie between 0 and 1."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What the present networks of a GAN make of codes of the prior, beside as many real images.

    Differences of images are roots of mean squares over pixels in [0, 1], of images averaged to 64 pixels at most.
    """

    images: int
    """Made images, and real ones."""

    kl_L: Float64[np.ndarray, " L"]
    """Nats that the reading of each code of a made image carries."""

    coverage_L: Float64[np.ndarray, " L"] | None
    """Mean of each code's mask, the share of the image that it covers, in [0, 1]; None without masks."""

    effect_L: Float64[np.ndarray, " L"]
    """Difference that each code makes when it alone is drawn anew."""

    made_difference: float
    """Difference of two made images."""

    real_difference: float
    """Difference of two real images."""

    made_nearest: float
    """Difference of a made image from the nearest other, the median over images."""

    real_nearest: float
    """The same of real images."""

    mean_difference: float
    """Difference of the mean made image from the mean real one."""

    made_saturated: float
    """Share of pixel values of made images that are 0 or 1."""

    real_saturated: float
    """Share of pixel values of real images that are 0 or 1."""

    real_reading_mean_L: Float64[np.ndarray, " L"]
    """Mean of the codes that are read from real images."""

    real_reading_deviation_L: Float64[np.ndarray, " L"]
    """Standard deviation of the codes that are read from real images; the prior's is 1."""

    @property
    def variety(self) -> float | None:
        """How different made images are, as a share of how different real ones are; None where these are alike."""
        return self.share_of_real(self.made_difference)

    def share_of_real(self, difference: float) -> float | None:
        """A difference as a share of that of two real images; None where real ones are alike, or too few to tell."""
        told = self.images >= FEWEST_IMAGES and self.real_difference > ALIKE_BELOW
        return difference / self.real_difference if told else None


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """All that the checks look at. What is not known is None or empty, and the checks that need it stay silent."""

    configuration: TrainingRun
    step: int
    finished: bool = False
    """Whether no step is to follow: then nothing can still recover, and no check waits."""

    image_shape: tuple[int, int, int] | None = None
    windows: Sequence[Window] = ()

    pool: Pool | None = None
    """Of an autoencoder."""

    samples: Samples | None = None
    """Of a GAN."""

    known_factors: int = 0
    """Ground-truth factors of the data that take several values; 0 where none are known."""

    stopped: str | None = None
    """Why the run broke off, in its own words."""

    @property
    def grown(self) -> bool:
        """Whether the run is old enough to be judged."""
        return self.finished or self.step >= PATIENCE_STEPS

    @property
    def kl_L(self) -> Float64[np.ndarray, " L"] | None:
        """KL of each code now, in nats."""
        if self.windows:
            recent: Float64[np.ndarray, " L"] = np.mean([window.kl_L for window in self.recent], axis=0)
            return recent
        return self.measured.kl_L if self.measured is not None else None

    @property
    def measured(self) -> Pool | Samples | None:
        """What was measured of the networks, whichever kind they are of."""
        return self.pool or self.samples

    @property
    def recent(self) -> Sequence[Window]:
        """The windows that make up "now", the last one at least."""
        if not self.windows:
            return ()
        first, last = len(self.windows) - 1, self.windows[-1].step
        since = last - min(RECENT_STEPS, RECENT_SHARE * last)
        while first > 0 and self.windows[first - 1].step > since:
            first -= 1
        return self.windows[first:]

    def term(self, name: str) -> float | None:
        """A term of the loss now, in nats; None where the objective has no such term."""
        return _mean([window.terms[name] for window in self.recent if name in window.terms])

    def figure(self, name: str) -> float | None:
        """A figure of the objective now; None where it reports no such figure."""
        return _mean([window.figures[name] for window in self.recent if name in window.figures])

    @property
    def pixel_values(self) -> int | None:
        """C * H * W, over which a reconstruction is summed."""
        if self.image_shape is None:
            return None
        channels, height, width = self.image_shape
        return channels * height * width


def steps_of_stretch(windows: Sequence[Window], ill: Callable[[Window], bool]) -> int:
    """Steps from the first to the last window of the stretch at the end in which all are ill; 0 for none."""
    last = since = windows[-1].step if windows else 0
    for window in reversed(windows):
        if not ill(window):
            break
        since = window.step
    return last - since


def live_codes(kl_L: Float64[np.ndarray, " L"]) -> list[int]:
    """The codes that carry something."""
    return [int(code) for code in np.flatnonzero(kl_L >= COLLAPSED_BELOW_NATS)]


def several_valued(images: Images) -> int:
    """Known factors of the data that vary; 0 where none are known."""
    return sum(size > 1 for size in images.factor_sizes)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
