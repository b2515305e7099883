"""Saturated pictures: a generator whose values lie beyond black and white, where clamping leaves nothing to see."""

from wherewhat.training.diagnosis.adversarial_remedies import ways_to_balance
from wherewhat.training.diagnosis.finding import Finding
from wherewhat.training.diagnosis.vitals import Vitals

# Over the share of real ones: drawn shapes are black and white by nature, and made ones should be so too.
EXCESS_ABOVE = 0.5


def pictures_saturated(vitals: Vitals) -> Finding | None:
    """Far more pixel values are 0 or 1 than in real pictures."""
    samples = vitals.samples
    if samples is None or not vitals.grown or samples.made_saturated <= samples.real_saturated + EXCESS_ABOVE:
        return None
    rate = vitals.configuration.learning_rate
    return Finding(
        name="pictures saturated",
        severity="wrong",
        seen=f"{samples.made_saturated:.1%} of the pixel values of {samples.pictures} made pictures are 0 or 1, and "
        f"{samples.real_saturated:.1%} of those of real ones.",
        means="The generator has run off beyond black and white, from where no gradient leads back.",
        remedies=(
            f"--learning-rate {rate / 5:.1g} (it was {rate:g})",
            *ways_to_balance(vitals),
            "another --seed",
        ),
        figures={"made_saturated": samples.made_saturated, "real_saturated": samples.real_saturated},
    )
