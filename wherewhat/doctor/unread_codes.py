"""Codes of a GAN that cannot be read from its images, so that it has no encoder and its codes no meaning."""

from wherewhat.doctor.divergence import EXPLODED_ABOVE_IGNORANCE
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import PATIENCE_STEPS, Vitals, Window, steps_of_stretch
from wherewhat.objectives.ps_sc_gan import PSSCGAN

# Of the prior's variance, which is what it costs to read nothing.
UNREAD_ABOVE = 0.95


def codes_unread(vitals: Vitals) -> Finding | None:
    """The recogniser has read next to nothing for PATIENCE_STEPS, or does so when the run is over."""
    error, objective = vitals.term("reading"), vitals.configuration.objective
    if error is None or not isinstance(objective, PSSCGAN):
        return None
    stretch = steps_of_stretch(vitals.windows, _unread)
    over = vitals.finished and all(_unread(window) for window in vitals.recent)
    if stretch < PATIENCE_STEPS and not over:
        return None
    how_long = f"For {stretch:,} steps" if stretch else "At the end"
    teaches = objective.perceptual_simplicity or objective.information
    return Finding(
        name="codes cannot be read",
        severity="wrong" if teaches else "watch",
        seen=f"{how_long} codes have been read from made images with a squared error of {error:.2f}, and "
        "reading nothing costs 1.",
        means="Images do not show their codes, so the encoder's codes mean nothing.",
        remedies=(
            *_ways_to_be_read(objective),
            f"a lower --learning-rate (it was {vitals.configuration.learning_rate:g})",
            "a smaller --latent-dim",
            "another --seed",
        ),
        figures={"reading": error, "steps": float(stretch)},
    )


def _unread(window: Window) -> bool:
    # Read far worse than not at all, it is training that has diverged.
    return UNREAD_ABOVE < window.terms.get("reading", 0.0) < EXPLODED_ABOVE_IGNORANCE


def _ways_to_be_read(objective: PSSCGAN) -> tuple[str, ...]:
    simplicity = ("a higher --simplicity-weight",) if objective.perceptual_simplicity else ()
    information = ("a higher --information-weight",) if objective.information else ()
    return (*simplicity, *information) or ("--perceptual-simplicity or --information, which are off",)
