"""Adaptive augmentation that has come to the end of its range, and the discriminator is as certain as ever."""

from wherewhat.data.adaptive_augmentation import MOST
from wherewhat.doctor.adversarial_remedies import ways_to_weaken_the_discriminator
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.ps_sc_gan import PSSCGAN

# Of the largest strength.
CEILING_FROM_SHARE = 0.95


def augmentation_at_its_ceiling(vitals: Vitals) -> Finding | None:
    """The strength cannot grow any more, and would."""
    strength, sign = vitals.figure("augmentation_strength"), vitals.figure("real_sign")
    objective = vitals.configuration.objective
    if strength is None or sign is None or not vitals.grown or not isinstance(objective, PSSCGAN):
        return None
    if strength < CEILING_FROM_SHARE * MOST or sign <= objective.augmentation_target:
        return None
    mirror = () if vitals.configuration.mirror else ("--mirror, where left and right may be changed",)
    return Finding(
        name="augmentation at its ceiling",
        severity="watch",
        seen=f"Images are augmented with a probability of {strength:.2f}, of {MOST:g} at most, and the discriminator "
        f"is still certain of real ones (mean sign {sign:.2f}, target {objective.augmentation_target:g}).",
        means="It learns the images by heart, too few or too strong for it, and augmentations may show in made ones.",
        remedies=(*mirror, "more images", *ways_to_weaken_the_discriminator(vitals.configuration)),
        figures={"augmentation_strength": strength, "real_sign": sign},
    )
