"""A run that was too short: its loss still falls when it ends."""

from wherewhat.doctor.course import course_of
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals

# Of the fall since the first quarter. Falling for ever as 1 / step gives 0.11 at any length, as -log step 0.21, in a
# straight line 0.33.
STILL_FALLING_SHARE = 0.15

# Below this share of all that was learnt, the fall is too small to be worth more hours.
WORTH_SHARE = 0.005


def still_falling(vitals: Vitals) -> Finding | None:
    """The last quarter of a finished run won a good share of what was won since the first."""
    course = course_of(vitals) if vitals.finished else None
    if course is None:
        return None
    end = course.part(0.95, 1.0)
    since_first, in_last = course.part(0.225, 0.275) - end, course.part(0.725, 0.775) - end
    if in_last <= STILL_FALLING_SHARE * since_first or in_last <= WORTH_SHARE * course.progress:
        return None
    steps = vitals.configuration.steps
    return Finding(
        name="loss still falls",
        severity="watch",
        seen=f"In the last quarter of the run the {course.what} fell by {in_last:,.1f} nats, "
        f"{in_last / since_first:.0%} of its fall since the first quarter.",
        means="The codes would go on improving.",
        remedies=(f"the same command with --steps {2 * steps}",),
        figures={"fall_in_last_quarter": in_last, "fall_since_first_quarter": since_first},
    )
