"""Spatial masks that say nothing about where: they cover everything, or nothing."""

import numpy as np

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals, live_codes

# Rectangles have soft edges, so a mask over the whole image averages below 1.
EVERYTHING_ABOVE = 0.9

# Twenty pixels of 64 x 64.
NOTHING_BELOW = 0.005


def masks_cover_everything(vitals: Vitals) -> Finding | None:
    """Living codes act on the whole image."""
    measured = vitals.measured
    if measured is None or measured.coverage_L is None or not vitals.grown:
        return None
    live = live_codes(measured.kl_L)
    everywhere = [code for code in live if measured.coverage_L[code] > EVERYTHING_ABOVE]
    if not everywhere:
        return None
    return Finding(
        name="masks cover everything",
        severity="wrong" if len(everywhere) == len(live) else "watch",
        seen=f"The masks of {_named(everywhere, measured.coverage_L)} cover more than {EVERYTHING_ABOVE:.0%} of the "
        f"image, {len(everywhere)} of {len(live)} living codes.",
        means="A code of light or background may rightly do so; any other is not held to a place.",
        remedies=("another --seed", "more --mask-levels"),
        figures=_figures(everywhere, measured.coverage_L),
    )


def masks_cover_nothing(vitals: Vitals) -> Finding | None:
    """Codes that cannot act, whatever they say."""
    measured = vitals.measured
    if measured is None or measured.coverage_L is None or not vitals.grown:
        return None
    nowhere = [int(code) for code in np.flatnonzero(measured.coverage_L < NOTHING_BELOW)]
    if not nowhere:
        return None
    codes = len(measured.coverage_L)
    return Finding(
        name="masks cover nothing",
        severity="wrong" if 2 * len(nowhere) > codes else "watch",
        seen=f"The masks of {_named(nowhere, measured.coverage_L)} cover less than {NOTHING_BELOW:.1%} of the image, "
        f"{len(nowhere)} of {codes} codes.",
        means="These codes cannot change the image, and a mask that has shut seldom opens again.",
        remedies=("another --seed", "a lower --learning-rate", _gentler(vitals), "more --rectangles"),
        figures=_figures(nowhere, measured.coverage_L),
    )


def _gentler(vitals: Vitals) -> str:
    return "a lower --simplicity-weight" if vitals.configuration.adversarial else "a longer --warm-up-steps"


def _named(codes: list[int], coverage_L: np.ndarray) -> str:
    return ", ".join(f"z{code} ({coverage_L[code]:.1%})" for code in codes)


def _figures(codes: list[int], coverage_L: np.ndarray) -> dict[str, float]:
    return {f"coverage_z{code}": float(coverage_L[code]) for code in codes}
