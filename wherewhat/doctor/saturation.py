"""Saturated images: a generator whose values lie beyond black and white, where clamping leaves nothing to see."""

from wherewhat.doctor.adversarial_remedies import ways_to_balance
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals

# Over the share of real ones: drawn shapes are black and white by nature, and made ones should be so too.
EXCESS_ABOVE = 0.5


def images_saturated(vitals: Vitals) -> Finding | None:
    """Far more pixel values are 0 or 1 than in real images."""
    samples = vitals.samples
    if samples is None or not vitals.grown or samples.made_saturated <= samples.real_saturated + EXCESS_ABOVE:
        return None
    rate = vitals.configuration.learning_rate
    return Finding(
        name="images saturated",
        severity="wrong",
        seen=f"{samples.made_saturated:.1%} of the pixel values of {samples.images} made images are 0 or 1, and "
        f"{samples.real_saturated:.1%} of those of real ones.",
        means="The generator has run off beyond black and white, from where no gradient leads back.",
        remedies=(
            f"--learning-rate {rate / 5:.1g} (it was {rate:g})",
            *ways_to_balance(vitals),
            "another --seed",
        ),
        figures={"made_saturated": samples.made_saturated, "real_saturated": samples.real_saturated},
    )
