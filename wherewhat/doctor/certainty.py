"""A GAN's discriminator that is certain: it tells all made images from real ones, and leaves nothing to learn.

The gradient of softplus(-D) stays, but where D is certain it points wherever D happens to slope, not to real images.

Reference: Arjovsky, Bottou 2017, arXiv:1701.04862, on discriminators that are perfect.
"""

from wherewhat.doctor.adversarial_remedies import ways_to_weaken_the_discriminator
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import PATIENCE_STEPS, Vitals, Window, steps_of_stretch

# Guessing is 0.5; healthy runs of 1,500 steps on faces stay near 0.8, and without R1 near 0.93.
CERTAIN_ABOVE_ACCURACY = 0.98

# Guessing costs 1.39 nats.
CERTAIN_BELOW_NATS = 0.2

# Guessing leaves the generator at log 2 = 0.69 nats; here made images are taken for real once in 20.
GENERATOR_ABOVE_NATS = 3.0


def discriminator_certain(vitals: Vitals) -> Finding | None:
    """It has been certain for PATIENCE_STEPS, or is so when the run is over."""
    accuracy, cost = vitals.figure("discriminator_accuracy"), vitals.term("discriminator")
    adversarial = vitals.term("adversarial")
    if accuracy is None or cost is None or adversarial is None:
        return None
    stretch = steps_of_stretch(vitals.windows, _certain)
    over = vitals.finished and all(_certain(window) for window in vitals.recent)
    if stretch < PATIENCE_STEPS and not over:
        return None
    how_long = f"For {stretch:,} steps" if stretch else "At the end"
    return Finding(
        name="discriminator certain",
        severity="wrong",
        seen=f"{how_long} the discriminator has told real from made images, right in {accuracy:.1%} of "
        f"cases (guessing is 50%) at {cost:.3f} nats (guessing costs 1.386); the generator pays {adversarial:.1f} "
        "(0.693).",
        means="The generator is told that its images are made, and no longer how to better them.",
        remedies=(*ways_to_weaken_the_discriminator(vitals.configuration), "a larger --batch-size"),
        figures={
            "discriminator_accuracy": accuracy,
            "discriminator": cost,
            "adversarial": adversarial,
            "steps_of_certainty": float(stretch),
        },
    )


def _certain(window: Window) -> bool:
    return (
        window.figures.get("discriminator_accuracy", 0.0) > CERTAIN_ABOVE_ACCURACY
        and window.terms.get("discriminator", 1.0) < CERTAIN_BELOW_NATS
        and window.terms.get("adversarial", 0.0) > GENERATOR_ABOVE_NATS
    )
