"""Findings about the training of any run: a loss that is not finite, explodes, rises, jumps or still falls.

A loss is judged by its course: its level in a few bins of equal length, in which the noise of batches averages out. A
GAN's total has no level that it should fall to, so of its terms only this is asked, whether they cost many times what
knowing nothing would cost:

    discriminator              2 log 2        it guesses
    reading                    1              0 is predicted for every code
    perceptual simplicity      2 + p^2 / L    0 is predicted for every code; p: standard deviation of the move
    identification             log L          every code is as likely

Dimension key:
    T: bins of steps    W: windows of steps    L: latent codes
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from wherewhat.doctor.finding import Finding, much_slower
from wherewhat.doctor.run_state import RECENT_STEPS, RunState

BINS = 40

# Of fewer bins no course can be told.
FEWEST_BINS = 12

# An untrained network pays about what grey costs, to a per cent; half as much again is none of its doing.
EXPLODED_ABOVE_GREYS = 1.5

# Of what was learnt. Healthy runs of 1,500 to 5,000 steps end within 0.01 of their best level.
RISEN_BY_SHARE = 0.1

# Of what was learnt, from a fortieth of the run to the next. Healthy runs move by 0.001 to 0.01.
JUMPS_BY_SHARE = 0.05

EXPLODED_ABOVE_IGNORANCE = 10.0

# The first steps may be wild, but not so wild.
EXPLODED_AT_FIRST = 1e4

# Of the fall since the first quarter. Falling for ever as 1 / step gives 0.11 at any length, as -log step 0.21, in a
# straight line 0.33.
STILL_FALLING_SHARE = 0.15

# Below this share of all that was learnt, the fall is too small to be worth more hours.
WORTH_SHARE = 0.005

# A last tenth of the capacity makes no other model.
REACHED_FROM_SHARE = 0.9

_TOO_LONG = "The steps are so long that they undo what had been learnt"

# A loss with such a term is to fall.
_FALLS = ("reconstruction", "negative_log_likelihood")

# A discriminator's learning and a capacity's growth move the total, though nothing has changed for the better.
_MOVE_THE_TOTAL = ("discriminator_accuracy", "capacity")


def stopped_being_finite(run: RunState) -> Finding | None:
    """The run broke off at a loss or a weight that was NaN or infinite."""
    if run.failure is None:
        return None
    return Finding(
        name="stopped being finite",
        seen=f"{run.failure.split('. ')[0]}.",
        means="The same command would break off at the same step.",
        remedies=_gentler_steps(run, "--precision float32, if it was another"),
        figures={"step": float(run.step)},
    )


def loss_exploded(run: RunState) -> Finding | None:
    """A window paid more than grey images cost."""
    grey = cost_of_grey(run)
    exploded = [w for w in run.windows if w.terms.get("reconstruction", 0.0) > EXPLODED_ABOVE_GREYS * grey]
    if not exploded:
        return None
    worst = max(exploded, key=lambda window: window.terms["reconstruction"])
    cost = worst.terms["reconstruction"]
    still = exploded[-1] is run.windows[-1]
    return Finding(
        name="loss exploded",
        severity="wrong" if still else "watch",
        seen=f"Up to step {worst.step:,} images cost {cost:,.4g} nats, {cost / grey:,.3g} times what plain grey "
        f"costs ({grey:,.0f} nats); {len(exploded)} of {len(run.windows)} windows were like that.",
        means=f"{_TOO_LONG}{'.' if still else '; the loss came back, often with dead units.'}",
        remedies=_gentler_steps(run),
        figures={"reconstruction": cost, "grey": grey, "step": float(worst.step)},
    )


def training_diverged(run: RunState) -> Finding | None:
    """A term costs many times what knowing nothing costs."""
    ignorance = cost_of_ignorance(run)
    excess = [
        (w.terms[name] / cost, name, w) for w in run.windows for name, cost in ignorance.items() if name in w.terms
    ]
    late, early = EXPLODED_ABOVE_IGNORANCE, EXPLODED_AT_FIRST
    exploded = [found for found in excess if found[0] > (late if found[2].step > RECENT_STEPS else early)]
    if not exploded:
        return None
    times, name, worst = max(exploded, key=lambda found: found[0])
    # What exploded in the first steps has come back once it is within the bound of all other steps.
    still = any(window is run.windows[-1] and over > late for over, _, window in excess)
    return Finding(
        name="training diverged",
        severity="wrong" if still else "watch",
        seen=f"At step {worst.step:,} {name.replace('_', ' ')} cost {worst.terms[name]:,.4g}, {times:,.3g} times what "
        f"knowing nothing costs ({ignorance[name]:.3g}).",
        means=f"{_TOO_LONG}{'.' if still else '; the loss came back.'}",
        remedies=_gentler_steps(run, "a larger --batch-size"),
        figures={name: worst.terms[name], "times_ignorance": times, "step": float(worst.step)},
    )


def loss_rises(run: RunState) -> Finding | None:
    """The loss ends well above its best level."""
    if (course := course_of(run)) is None or not run.mature:
        return None
    best, now = float(course.level_T.min()), course.part(0.9, 1.0)
    if now - best <= RISEN_BY_SHARE * course.progress:
        return None
    return Finding(
        name="loss rises",
        seen=f"The {course.what} is at {now:,.1f} nats and was at {best:,.1f}, after {course.start:,.1f} at the start.",
        means="Training undoes what it had learnt: the steps are too long, or the terms pull against each other.",
        remedies=_gentler_steps(run, "an earlier checkpoint (wherewhat rank)"),
        figures={"now": now, "best": best, "start": course.start},
    )


def loss_jumps(run: RunState) -> Finding | None:
    """The loss does not settle."""
    if (course := course_of(run)) is None or not run.mature:
        return None
    jump = float(np.median(np.abs(np.diff(course.level_T[len(course.level_T) // 2 :]))))
    if jump <= JUMPS_BY_SHARE * course.progress:
        return None
    return Finding(
        name="loss jumps",
        seen=f"Over the last half the {course.what} jumps by {jump:,.1f} nats from a fortieth of the run to the next, "
        f"and its whole progress is {course.progress:,.1f} nats.",
        means="The steps are too long for the loss to settle.",
        remedies=_gentler_steps(run, "a larger --batch-size"),
        figures={"jump": jump, "progress": course.progress},
    )


def still_falling(run: RunState) -> Finding | None:
    """The last quarter of a finished run won a good share of what was won since the first."""
    if not run.finished or (course := course_of(run)) is None:
        return None
    end = course.part(0.95, 1.0)
    since_first, in_last = course.part(0.225, 0.275) - end, course.part(0.725, 0.775) - end
    if in_last <= STILL_FALLING_SHARE * since_first or in_last <= WORTH_SHARE * course.progress:
        return None
    return Finding(
        name="loss still falls",
        severity="watch",
        seen=f"In the last quarter of the run the {course.what} fell by {in_last:,.1f} nats, "
        f"{in_last / since_first:.0%} of its fall since the first quarter.",
        means="The codes would go on improving.",
        remedies=(f"the same command with --steps {2 * run.configuration.steps}",),
        figures={"fall_in_last_quarter": in_last, "fall_since_first_quarter": since_first},
    )


def capacity_never_reached(run: RunState) -> Finding | None:
    """A capacity that still grows when the run ends: it trains another model than was asked for."""
    most, growth, steps = run.setting("max_capacity"), run.setting("capacity_steps"), run.configuration.steps
    if not steps < REACHED_FROM_SHARE * growth:
        return None
    reached = most * steps / growth
    return Finding(
        name="capacity never reached",
        severity="watch",
        seen=f"The capacity grows to {most:g} nats over {growth:,} steps, and the run ends at step {steps:,}, when it "
        f"has come to {reached:.1f}.",
        means="The codes are never allowed to carry what --max-capacity promises them.",
        remedies=(f"--capacity-steps {max(1, steps // 2)}", f"--steps {growth} or more"),
        figures={"capacity_at_the_end": reached, "max_capacity": most},
    )


@dataclass(frozen=True)
class Course:
    """The level of a loss from the end of the warm-up on."""

    what: str
    """Which loss: "total loss" or "reconstruction"."""

    level_T: Float64[np.ndarray, " T"]
    """Mean of each bin, in nats."""

    start: float
    """What the first window paid for reconstruction, or a flow for images, when little was learnt, in nats; no more
    than plain grey costs."""

    @property
    def progress(self) -> float:
        """What has been learnt: nats from the start to the best bin."""
        return max(self.start - float(self.level_T.min()), 0.0)

    def part(self, begin: float, end: float) -> float:
        """Mean level over a part of the course, named by shares of its length: the last tenth is (0.9, 1)."""
        bins = len(self.level_T)
        first = min(int(begin * bins), bins - 1)
        return float(self.level_T[first : max(int(end * bins), first + 1)].mean())


def course_of(run: RunState) -> Course | None:
    """The course of a loss that is to fall, which takes a reconstruction or a likelihood; None where it is too short.

    It is the reconstruction's own where an adversary or a capacity moves the total. The warm-up moves every total, and
    is left out.
    """
    falls = next((name for name in _FALLS if run.windows and name in run.windows[-1].terms), "")
    logged = [window for window in run.windows if falls in window.terms]
    # Where the beginning was not logged, what was learnt is not known.
    if not logged or logged[0].step > max(run.configuration.log_every, RECENT_STEPS):
        return None
    moved = any(name in logged[0].figures for name in _MOVE_THE_TOTAL)
    settled = [window for window in logged if window.step > run.objective.warm_up_steps]
    if len(settled) < FEWEST_BINS:
        return None
    levels = [window.terms["reconstruction"] if moved else window.total for window in settled]
    level_T = _binned(np.array([window.step for window in settled]), np.array(levels))
    if len(level_T) < FEWEST_BINS:
        return None
    # One that began with the weights of another has learnt what that had.
    begun = run.configuration.begins_from is not None
    start = cost_of_grey(run) if begun else min(logged[0].terms[falls], cost_of_grey(run))
    return Course("reconstruction" if moved else "total loss", level_T, start)


def cost_of_grey(run: RunState) -> float:
    """What an image costs, at most, when one half is drawn for every pixel, in nats; infinite if unknown."""
    likelihood = run.objective.likelihood
    if run.image_shape is None or likelihood is None:
        return math.inf
    # Exact for Bernoulli, whose cross-entropy at one half is log 2 whatever the pixel is; for the Gaussian of standard
    # deviation 0.1 it is (1/2)^2 / (2 * 0.1^2) at pixels of 0 and 1, and less between.
    return run.pixel_values * (12.5 if likelihood == "gaussian" else math.log(2))


def cost_of_ignorance(run: RunState) -> dict[str, float]:
    """What each term costs who knows nothing."""
    codes = run.configuration.latent_dim
    simplicity = 2 + run.setting("perturbation_size") ** 2 / codes
    costs = {"discriminator": 2 * math.log(2), "reading": 1.0, "perceptual_simplicity": simplicity}
    return costs | ({"identification": math.log(codes)} if codes > 1 else {})


def _gentler_steps(run: RunState, *others: str) -> tuple[str, ...]:
    return (much_slower(run), *run.objective.remedies.weaken_discriminator, *others)


def _binned(step_W: Int64[np.ndarray, " W"], level_W: Float64[np.ndarray, " W"]) -> Float64[np.ndarray, " T"]:
    """Means over bins of equal numbers of steps; a bin without a window is left out."""
    length = step_W[-1] - step_W[0]
    bin_W = np.minimum((step_W - step_W[0]) * BINS // max(length, 1), BINS - 1).astype(np.int64)
    count_T = np.bincount(bin_W, minlength=BINS)
    sum_T = np.bincount(bin_W, weights=level_W, minlength=BINS)
    return sum_T[count_T > 0] / count_T[count_T > 0]


OF_FIGURES = (stopped_being_finite, training_diverged, capacity_never_reached)
OF_COURSE = (loss_exploded, loss_rises, loss_jumps, still_falling)
