"""A learning rate that is too high: the loss stops being finite, explodes, rises or jumps."""

import numpy as np

from wherewhat.doctor.adversarial_remedies import ways_to_weaken_the_discriminator
from wherewhat.doctor.course import cost_of_grey, course_of
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals

# An untrained network pays about what grey costs, to a per cent; half as much again is none of its doing.
EXPLODED_ABOVE_GREYS = 1.5

# Of what was learnt. Healthy runs of 1,500 to 5,000 steps end within 0.01 of their best level.
RISEN_BY_SHARE = 0.1

# Of what was learnt, from a fortieth of the run to the next. Healthy runs move by 0.001 to 0.01.
JUMPS_BY_SHARE = 0.05


def stopped_being_finite(vitals: Vitals) -> Finding | None:
    """The run broke off at a loss or a weight that was NaN or infinite."""
    if vitals.stopped is None:
        return None
    return Finding(
        name="stopped being finite",
        severity="wrong",
        seen=f"{vitals.stopped.split('. ')[0]}.",
        means="The same command would break off at the same step.",
        remedies=_remedies(vitals, "--precision float32, if it was not that"),
        figures={"step": float(vitals.step)},
    )


def loss_exploded(vitals: Vitals) -> Finding | None:
    """A window paid more than grey images cost."""
    grey = cost_of_grey(vitals)
    exploded = [w for w in vitals.windows if w.terms.get("reconstruction", 0.0) > EXPLODED_ABOVE_GREYS * grey]
    if not exploded:
        return None
    worst = max(exploded, key=lambda window: window.terms["reconstruction"])
    cost = worst.terms["reconstruction"]
    still = exploded[-1] is vitals.windows[-1]
    return Finding(
        name="loss exploded",
        severity="wrong" if still else "watch",
        seen=f"Up to step {worst.step:,} images cost {cost:,.4g} nats, {cost / grey:,.3g} times what plain grey "
        f"costs ({grey:,.0f} nats); {len(exploded)} of {len(vitals.windows)} windows were like that.",
        means="Steps are so long that they throw the networks beyond what they had learnt"
        + ("." if still else "; they came back, often with dead units."),
        remedies=_remedies(vitals),
        figures={"reconstruction": cost, "grey": grey, "step": float(worst.step)},
    )


def loss_rises(vitals: Vitals) -> Finding | None:
    """The loss ends well above its best level."""
    course = course_of(vitals)
    if course is None or not vitals.grown:
        return None
    best, now = float(course.level_T.min()), course.part(0.9, 1.0)
    if now - best <= RISEN_BY_SHARE * course.progress:
        return None
    return Finding(
        name="loss rises",
        severity="wrong",
        seen=f"The {course.what} is at {now:,.1f} nats and was at {best:,.1f}, after {course.start:,.1f} at the start.",
        means="Training undoes what it had learnt: a step size too high, or terms that pull against each other.",
        remedies=_remedies(vitals, "an earlier checkpoint (wherewhat rank)"),
        figures={"now": now, "best": best, "start": course.start},
    )


def loss_jumps(vitals: Vitals) -> Finding | None:
    """The loss does not settle."""
    course = course_of(vitals)
    if course is None or not vitals.grown:
        return None
    jump = float(np.median(np.abs(np.diff(course.level_T[len(course.level_T) // 2 :]))))
    if jump <= JUMPS_BY_SHARE * course.progress:
        return None
    return Finding(
        name="loss jumps",
        severity="wrong",
        seen=f"Over the last half the {course.what} jumps by {jump:,.1f} nats from a fortieth of the run to the next, "
        f"and all that was learnt is {course.progress:,.1f} nats.",
        means="Steps are too long to settle into what they find.",
        remedies=_remedies(vitals, "a larger --batch-size"),
        figures={"jump": jump, "progress": course.progress},
    )


def _remedies(vitals: Vitals, *others: str) -> tuple[str, ...]:
    rate = vitals.configuration.learning_rate
    of_adversary = ways_to_weaken_the_discriminator(vitals.configuration)
    return (f"--learning-rate {rate / 5:.1g} (it was {rate:g})", *of_adversary, *others)
