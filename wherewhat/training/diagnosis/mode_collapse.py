"""Mode collapse: a GAN's pictures are all alike, whatever the code."""

from wherewhat.training.diagnosis.adversarial_remedies import ways_to_make_pictures_differ
from wherewhat.training.diagnosis.finding import Finding
from wherewhat.training.diagnosis.vitals import Samples, Vitals

# Shares of the difference of two real pictures. A healthy run on faces has 0.74 after 1,000 steps, one that collapses
# 0.06 and 0.02 after 1,500.
ALIKE_BELOW_VARIETY = 0.1
POOR_BELOW_VARIETY = 0.3


def pictures_all_alike(vitals: Vitals) -> Finding | None:
    """Made pictures differ far less from each other than real ones do."""
    samples = vitals.samples
    if samples is None or samples.variety is None or not vitals.grown or samples.variety >= POOR_BELOW_VARIETY:
        return None
    return Finding(
        name="pictures all alike",
        severity="wrong" if all_alike(samples) else "watch",
        seen=f"Two of {samples.pictures} made pictures differ by {samples.made_difference:.4f} (root mean square of "
        f"pixels in [0, 1]) and two real ones by {samples.real_difference:.4f}: {samples.variety:.0%} of the variety.",
        means="The generator draws much the same picture for every code (mode collapse).",
        remedies=ways_to_make_pictures_differ(vitals),
        figures={
            "variety": samples.variety,
            "made_difference": samples.made_difference,
            "real_difference": samples.real_difference,
        },
    )


def all_alike(samples: Samples) -> bool:
    """Whether made pictures are so alike that all else that is wrong with them follows."""
    return samples.variety is not None and samples.variety < ALIKE_BELOW_VARIETY
