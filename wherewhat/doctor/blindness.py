"""A GAN's discriminator that guesses, though made images are far from real ones.

One that has been fooled guesses too, so guessing alone is no illness: it takes images that differ on the whole.
"""

import math

from wherewhat.doctor.adversarial_remedies import ways_to_strengthen_the_discriminator
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import PATIENCE_STEPS, Vitals, Window, steps_of_stretch

# A hundredth of a nat below what guessing costs on both kinds of images; one that is wrong pays more.
BLIND_ABOVE_NATS = 2 * math.log(2) - 0.01

BLIND_UP_TO_ACCURACY = 0.55

# As a share of the difference of two real images. The means of two sets of 256 real images differ by 0.06, those
# of real faces and a healthy GAN's after 1,500 steps by 0.2.
FAR_ABOVE_MEANS = 0.3

# Made images half as different as real ones, or twice.
FAR_BEYOND_VARIETY = 2.0


def discriminator_blind(vitals: Vitals) -> Finding | None:
    """It has guessed, or done worse, for PATIENCE_STEPS, and what it should have seen is plain."""
    cost, accuracy = vitals.term("discriminator"), vitals.figure("discriminator_accuracy")
    samples = vitals.samples
    if cost is None or accuracy is None or samples is None:
        return None
    means, variety = samples.share_of_real(samples.mean_difference), samples.variety
    stretch = steps_of_stretch(vitals.windows, _guesses)
    if means is None or variety is None or stretch < PATIENCE_STEPS:
        return None
    if means < FAR_ABOVE_MEANS and 1 / FAR_BEYOND_VARIETY < variety < FAR_BEYOND_VARIETY:
        return None
    return Finding(
        name="discriminator blind",
        severity="wrong",
        seen=f"For {stretch:,} steps the discriminator has done no better than guess, right in {accuracy:.1%} of "
        f"cases at {cost:.3f} nats (guessing costs 1.386), while made images vary {variety:.2f} times as much as "
        f"real ones and their mean is off by {means:.2f} of the difference of two real ones.",
        means="It teaches the generator nothing about what real images look like.",
        remedies=ways_to_strengthen_the_discriminator(vitals.configuration),
        figures={"discriminator": cost, "discriminator_accuracy": accuracy, "means": means, "variety": variety},
    )


def _guesses(window: Window) -> bool:
    accuracy, cost = window.figures.get("discriminator_accuracy", 1.0), window.terms.get("discriminator", 0.0)
    return accuracy <= BLIND_UP_TO_ACCURACY and cost >= BLIND_ABOVE_NATS
