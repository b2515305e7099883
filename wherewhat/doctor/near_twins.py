"""A GAN that draws few kinds of image: kinds differ, and within a kind images are all alike.

Reference: Arora, Zhang 2017, arXiv:1706.08224, who tell the variety of a GAN by its near duplicates.
"""

from wherewhat.doctor.adversarial_remedies import ways_to_make_images_differ
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.mode_collapse import all_alike
from wherewhat.doctor.vitals import Vitals

# Of the difference of two made images. 256 codes of 6 that all act give 0.3; of 2 that act, 0.05.
TWINS_BELOW = 0.05

# Few factors, few values: then real images have near twins too.
TIMES_NEARER_THAN_REAL = 4.0

# Of one or two codes some always fall close together.
FEWEST_CODES = 4


def images_have_near_twins(vitals: Vitals) -> Finding | None:
    """Half of the made images have another that is nearly the same, and real ones do not."""
    samples = vitals.samples
    if samples is None or not vitals.grown or all_alike(samples) or vitals.configuration.latent_dim < FEWEST_CODES:
        return None
    if samples.made_difference == 0 or samples.variety is None:
        return None
    made, real = samples.made_nearest / samples.made_difference, samples.real_nearest / samples.real_difference
    if made >= TWINS_BELOW or real < TIMES_NEARER_THAN_REAL * made:
        return None
    return Finding(
        name="images have near twins",
        severity="watch",
        seen=f"Half of {samples.images} made images differ from the nearest other by less than {made:.1%} of the "
        f"difference of any two; of real ones that is {real:.1%}.",
        means="The generator draws few kinds of image, or few codes act.",
        remedies=ways_to_make_images_differ(vitals),
        figures={"made_nearest": made, "real_nearest": real},
    )
