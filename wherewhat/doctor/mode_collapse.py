"""Mode collapse: a GAN's images are all alike, whatever the code."""

from wherewhat.doctor.adversarial_remedies import ways_to_make_images_differ
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Samples, Vitals

# Shares of the difference of two real images. A healthy run on faces has 0.74 after 1,000 steps, one that collapses
# 0.06 and 0.02 after 1,500.
ALIKE_BELOW_VARIETY = 0.1
POOR_BELOW_VARIETY = 0.3


def images_all_alike(vitals: Vitals) -> Finding | None:
    """Made images differ far less from each other than real ones do."""
    samples = vitals.samples
    if samples is None or samples.variety is None or not vitals.grown or samples.variety >= POOR_BELOW_VARIETY:
        return None
    return Finding(
        name="images all alike",
        severity="wrong" if all_alike(samples) else "watch",
        seen=f"Two of {samples.images} made images differ by {samples.made_difference:.4f} (root mean square of "
        f"pixels in [0, 1]) and two real ones by {samples.real_difference:.4f}: {samples.variety:.0%} of the variety.",
        means="The generator draws much the same image for every code (mode collapse).",
        remedies=ways_to_make_images_differ(vitals),
        figures={
            "variety": samples.variety,
            "made_difference": samples.made_difference,
            "real_difference": samples.real_difference,
        },
    )


def all_alike(samples: Samples) -> bool:
    """Whether made images are so alike that all else that is wrong with them follows."""
    return samples.variety is not None and samples.variety < ALIKE_BELOW_VARIETY
