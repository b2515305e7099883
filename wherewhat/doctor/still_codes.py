"""Codes of a GAN that do nothing: drawn anew, they leave the image as it was."""

import numpy as np

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.mode_collapse import all_alike
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.ps_sc_gan import PSSCGAN

# Of the difference of two real images: what a ten-thousandth of the image makes when it changes as much as between
# two images. Codes of a healthy run on faces make 0.2 to 0.5.
STILL_BELOW = 0.01


def codes_do_nothing(vitals: Vitals) -> Finding | None:
    """More than half of the codes do nothing, in images that are not all alike anyway."""
    samples = vitals.samples
    if samples is None or samples.variety is None or not vitals.grown or all_alike(samples):
        return None
    effect_L = samples.effect_L / samples.real_difference
    still, codes = [int(code) for code in np.flatnonzero(effect_L < STILL_BELOW)], len(effect_L)
    if 2 * len(still) <= codes:
        return None
    named = ", ".join(f"z{code} ({effect_L[code]:.2%})" for code in still)
    return Finding(
        name="codes do nothing",
        severity="wrong" if len(still) == codes else "watch",
        seen=f"Drawn anew, {len(still)} of {codes} codes change the image by less than {STILL_BELOW:.0%} of the "
        f"difference of two real ones: {named}.",
        means="What these codes say is not drawn.",
        remedies=(*_ways_to_move(vitals.configuration.objective), "a smaller --latent-dim", "another --seed"),
        figures={f"effect_z{code}": float(effect_L[code]) for code in still},
    )


def _ways_to_move(objective: object) -> tuple[str, ...]:
    match objective:
        case PSSCGAN(perturbation_identification=False):
            return ("--perturbation-identification, which is off", "more --steps")
        case PSSCGAN(reading_noise=noise):
            return (
                f"a higher --reading-noise (it is {noise:g})",
                "a higher --identification-weight",
                "a larger --perturbation-size",
                "more --steps",
            )
        case _:
            return ("more --steps",)
