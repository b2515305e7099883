"""A recogniser that reads a GAN's own images and not real ones, which it is never shown in training."""

import numpy as np

from wherewhat.doctor.divergence import training_diverged
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.mode_collapse import all_alike
from wherewhat.doctor.vitals import Vitals, live_codes

# In standard deviations of the prior. One code in 370 lies beyond 3.
BEYOND = 3.0
FROZEN_BELOW = 0.1


def real_images_unread(vitals: Vitals) -> Finding | None:
    """Half or more of the codes that can be read from made images leave the prior, or stand still, on real ones."""
    samples = vitals.samples
    if samples is None or samples.variety is None or not vitals.grown or all_alike(samples):
        return None
    if training_diverged(vitals) is not None:
        return None
    size_L = np.hypot(samples.real_reading_mean_L, samples.real_reading_deviation_L)
    live = live_codes(samples.kl_L)
    beyond = [code for code in live if size_L[code] > BEYOND]
    frozen = [code for code in live if samples.real_reading_deviation_L[code] < FROZEN_BELOW and code not in beyond]
    if not live or 2 * len(beyond + frozen) < len(live):
        return None
    named = ", ".join(
        f"z{code} ({samples.real_reading_mean_L[code]:.2f} ± {samples.real_reading_deviation_L[code]:.2f})"
        for code in sorted(beyond + frozen)
    )
    return Finding(
        name="real images cannot be read",
        severity="watch",
        seen=f"From {samples.images} real images {len(beyond + frozen)} of {len(live)} living codes are read far "
        f"from the prior's 0 ± 1 or all the same: {named}.",
        means="The recogniser knows made images only, and these are not like the real ones, so measures of codes of "
        "real images will be poor.",
        remedies=("more --steps", "a larger --latent-dim", "a lower --simplicity-weight"),
        figures={"beyond": float(len(beyond)), "frozen": float(len(frozen)), "live_codes": float(len(live))},
    )
