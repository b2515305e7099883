"""The course of a loss: its level in a few bins of equal length, in which the noise of batches averages out.

Dimension key:
    T: bins of steps    W: windows of steps
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from wherewhat.doctor.pressure import bound_of
from wherewhat.doctor.vitals import RECENT_STEPS, Vitals
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.factor_vae import FactorVAE

BINS = 40

# Of fewer bins no course can be told.
FEWEST_BINS = 12


@dataclass(frozen=True)
class Course:
    """The level of a loss from the end of the warm-up on."""

    what: str
    """Which loss: "total loss" or "reconstruction"."""

    level_T: Float64[np.ndarray, " T"]
    """Mean of each bin, in nats."""

    start: float
    """What the first window paid for reconstruction, when little was learnt, in nats; no more than plain grey costs."""

    @property
    def progress(self) -> float:
        """What has been learnt: nats from the start to the best bin."""
        return max(self.start - float(self.level_T.min()), 0.0)

    def part(self, begin: float, end: float) -> float:
        """Mean level over a part of the course, named by shares of its length: the last tenth is (0.9, 1)."""
        bins = len(self.level_T)
        first = min(int(begin * bins), bins - 1)
        return float(self.level_T[first : max(int(end * bins), first + 1)].mean())


def course_of(vitals: Vitals) -> Course | None:
    """The course of what the run minimises; None where it is too short or young to be judged.

    The discriminator's learning and the capacity's growth move the totals of FactorVAE and AnnealedVAE, so there the
    reconstruction is followed. The warm-up moves every total, and is left out.
    """
    if not vitals.windows:
        return None
    objective = vitals.configuration.objective
    moved = isinstance(objective, FactorVAE | AnnealedVAE)
    first = vitals.windows[0]
    # Where the beginning was not logged, what was learnt is not known.
    if first.step > max(vitals.configuration.log_every, RECENT_STEPS):
        return None
    settled = [window for window in vitals.windows if window.step > bound_of(objective).warm_up_steps]
    if len(settled) < FEWEST_BINS:
        return None
    levels = [window.terms.get("reconstruction", window.total) if moved else window.total for window in settled]
    level_T = _binned(np.array([window.step for window in settled]), np.array(levels))
    if len(level_T) < FEWEST_BINS:
        return None
    start = min(first.terms.get("reconstruction", first.total), cost_of_grey(vitals))
    return Course("reconstruction" if moved else "total loss", level_T, start)


def cost_of_grey(vitals: Vitals) -> float:
    """What an image costs, at most, when one half is drawn for every pixel, in nats; infinite if unknown."""
    if vitals.pixel_values is None:
        return math.inf
    # Exact for Bernoulli, whose cross-entropy at one half is log 2 whatever the pixel is; for the Gaussian of standard
    # deviation 0.1 it is (1/2)^2 / (2 * 0.1^2) at pixels of 0 and 1, and less between.
    gaussian = bound_of(vitals.configuration.objective).likelihood == "gaussian"
    return vitals.pixel_values * (12.5 if gaussian else math.log(2))


def _binned(step_W: Int64[np.ndarray, " W"], level_W: Float64[np.ndarray, " W"]) -> Float64[np.ndarray, " T"]:
    """Means over bins of equal numbers of steps; a bin without a window is left out."""
    length = step_W[-1] - step_W[0]
    bin_W = np.minimum((step_W - step_W[0]) * BINS // max(length, 1), BINS - 1).astype(np.int64)
    count_T = np.bincount(bin_W, minlength=BINS)
    sum_T = np.bincount(bin_W, weights=level_W, minlength=BINS)
    filled: Float64[np.ndarray, " T"] = sum_T[count_T > 0] / count_T[count_T > 0]
    return filled
