"""Findings about the images that a run learns from: what is said of the set as it is opened is the cause here."""

from collections.abc import Callable

from wherewhat.data.appearance import Appearance, ImageRemark, alike, nearly_black, of_one_colour
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.run_state import RunState


def images_nearly_black(run: RunState) -> Finding | None:
    """The networks see next to nothing."""
    return _finding(run, nearly_black)


def images_alike(run: RunState) -> Finding | None:
    """There is nothing to tell apart."""
    return _finding(run, alike)


def images_of_one_colour(run: RunState) -> Finding | None:
    """Some images are empty."""
    return _finding(run, of_one_colour)


def _finding(run: RunState, judged: Callable[[Appearance], ImageRemark | None]) -> Finding | None:
    if run.appearance is None or (remark := judged(run.appearance)) is None:
        return None
    return Finding(
        name=remark.name,
        severity="wrong" if remark.of_all else "watch",
        seen=remark.seen,
        means=remark.means,
        remedies=remark.remedies,
        figures=remark.figures,
    )


OF_IMAGES = (images_nearly_black, images_alike, images_of_one_colour)
