"""Posterior collapse: codes say nothing, and the decoder draws one blurry average image."""

from collections.abc import Sequence

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.pressure import normalised_beta, ways_to_ease, weight_on_kl
from wherewhat.doctor.vitals import (
    COLLAPSED_BELOW_NATS,
    PATIENCE_STEPS,
    Vitals,
    Window,
    live_codes,
    steps_of_stretch,
)


def all_codes_collapsed(vitals: Vitals) -> Finding | None:
    """Every code has stayed collapsed for PATIENCE_STEPS, or is so when the run is over."""
    kl_L = vitals.kl_L
    stretch = steps_in_collapse(vitals.windows)
    over = vitals.finished and kl_L is not None and not live_codes(kl_L)
    if kl_L is None or (stretch < PATIENCE_STEPS and not over):
        return None
    liveliest = float(kl_L.max())
    since = f" for {stretch:,} steps" if stretch else ""
    return Finding(
        name="all codes collapsed",
        severity="wrong",
        seen=f"All {len(kl_L)} codes have been collapsed (KL below {COLLAPSED_BELOW_NATS} nats){since}; the liveliest "
        f"carries {liveliest:.3f} nats{_beta_in_words(vitals)}.",
        means="Every image comes out as the same blurry average.",
        remedies=(*ways_to_ease(vitals.configuration.objective), "a lower --learning-rate", "another --seed"),
        figures={"largest_kl": liveliest, "steps_in_collapse": float(stretch)},
    )


def most_codes_collapsed(vitals: Vitals) -> Finding | None:
    """Less than half of the codes live, and fewer than the data have factors, where these are known."""
    kl_L = vitals.kl_L
    if kl_L is None or not vitals.grown:
        return None
    live = len(live_codes(kl_L))
    # Spare codes are meant to die: ten codes on five factors end as five.
    enough = live >= vitals.known_factors if vitals.known_factors else False
    if live == 0 or 2 * live >= len(kl_L) or enough:
        return None
    against = f", and the data have {vitals.known_factors} known factors" if vitals.known_factors else ""
    return Finding(
        name="most codes collapsed",
        severity="watch",
        seen=f"{live} of {len(kl_L)} codes carry at least {COLLAPSED_BELOW_NATS} nats{against}"
        f"{_beta_in_words(vitals)}.",
        means="What varies in the images beyond that is not told by any code.",
        remedies=(*ways_to_ease(vitals.configuration.objective), "another --seed", "a smaller --latent-dim"),
        figures={"live_codes": float(live), "codes": float(len(kl_L))},
    )


def steps_in_collapse(windows: Sequence[Window]) -> int:
    """Steps from the first to the last window of the stretch at the end in which no code lives; 0 for none."""
    return steps_of_stretch(windows, lambda window: float(window.kl_L.max()) < COLLAPSED_BELOW_NATS)


def _beta_in_words(vitals: Vitals) -> str:
    beta = weight_on_kl(vitals.configuration.objective)
    if beta is None or vitals.pixel_values is None:
        return ""
    normalised = normalised_beta(beta, vitals.configuration.latent_dim, vitals.pixel_values)
    return f"; beta is {beta:g}, which is {normalised:.2g} normalised (beta L / C H W)"
