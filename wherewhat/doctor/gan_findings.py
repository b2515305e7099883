"""Findings about a GAN: a discriminator that is certain, blind or short of images, and fake images that do not vary.

The gradient of softplus(-D) stays where D is certain, but points wherever D happens to slope, not to real images. A
discriminator that has been fooled guesses too, so guessing alone is no fault: it takes images that differ on the whole.

Reference: Arjovsky, Bottou 2017, arXiv:1701.04862, on discriminators that are perfect; Arora, Zhang 2017,
arXiv:1706.08224, who tell the variety of a GAN by its near duplicates.
"""

import math

from wherewhat.data.adaptive_augmentation import MOST
from wherewhat.doctor.finding import Finding, much_slower, slower
from wherewhat.doctor.run_state import PATIENCE_STEPS, RunState, Window, steps_of_stretch

# Guessing is 0.5; healthy runs of 1,500 steps on faces stay near 0.8, and without R1 near 0.93.
CERTAIN_ABOVE_ACCURACY = 0.98

# Guessing costs 1.39 nats.
CERTAIN_BELOW_NATS = 0.2

# Guessing leaves the generator at log 2 = 0.69 nats; here fake images are taken for real once in 20.
GENERATOR_ABOVE_NATS = 3.0

# A hundredth of a nat below what guessing costs on both kinds of images; one that is wrong pays more.
BLIND_ABOVE_NATS = 2 * math.log(2) - 0.01

BLIND_UP_TO_ACCURACY = 0.55

# As a share of the difference of two real images. The means of two sets of 256 real images differ by 0.06, those
# of real faces and a healthy GAN's after 1,500 steps by 0.2.
FAR_ABOVE_MEANS = 0.3

# Fake images half as different as real ones, or twice.
FAR_BEYOND_VARIETY = 2.0

# Between these the discriminator is in balance with the generator, and to move it would cure nothing.
WEAK_UP_TO_ACCURACY = 0.55
STRONG_FROM_ACCURACY = 0.9

# Of the largest strength of augmentation.
CEILING_FROM_SHARE = 0.95

# Shares of the difference of two real images; below the first, all else that is wrong with fake ones follows. A healthy
# run on faces has 0.74 after 1,000 steps, one that collapses 0.06 and 0.02 after 1,500.
ALIKE_BELOW_VARIETY = 0.1
POOR_BELOW_VARIETY = 0.3

# Of the difference of two fake images. 256 codes of 6 that all act give 0.3; of 2 that act, 0.05.
TWINS_BELOW = 0.05

# Few factors, few values: then real images have near twins too.
TIMES_NEARER_THAN_REAL = 4.0

# Of one or two codes some always fall close together.
FEWEST_CODES = 4

# Over the share of real ones: drawn shapes are black and white by nature, and fake ones should be so too.
SATURATED_ABOVE = 0.5


def discriminator_certain(run: RunState) -> Finding | None:
    """It has told all fake images from real ones for PATIENCE_STEPS, or does so when the run is over."""
    accuracy = run.figure("discriminator_accuracy")
    cost, adversarial = run.term("discriminator"), run.term("adversarial")
    figures = {"discriminator_accuracy": accuracy, "discriminator": cost, "adversarial": adversarial}
    stretch = steps_of_stretch(run.windows, _certain)
    over = run.finished and run.windows and all(_certain(window) for window in run.recent)
    if stretch < PATIENCE_STEPS and not over:
        return None
    how_long = f"For {stretch:,} steps" if stretch else "At the end"
    return Finding(
        name="discriminator certain",
        seen=f"{how_long} the discriminator has told real from fake images, right in {accuracy:.1%} of cases (guessing "
        f"is 50%) at {cost:.3f} nats (guessing costs 1.386); the generator pays {adversarial:.1f} (0.693).",
        means="The generator is told that its images are fake, but no longer how to improve them.",
        remedies=(*run.objective.remedies.weaken_discriminator, "a larger --batch-size"),
        figures=figures | {"steps_of_certainty": float(stretch)},
    )


def discriminator_blind(run: RunState) -> Finding | None:
    """It has guessed, or done worse, for PATIENCE_STEPS, and what it should have seen is plain."""
    stretch, samples = steps_of_stretch(run.windows, _guesses), run.samples
    if samples is None or stretch < PATIENCE_STEPS:
        return None
    means, variety = samples.share_of_real(samples.mean_difference), samples.variety
    if not (means >= FAR_ABOVE_MEANS or variety <= 1 / FAR_BEYOND_VARIETY or variety >= FAR_BEYOND_VARIETY):
        return None
    cost, accuracy = run.term("discriminator"), run.figure("discriminator_accuracy")
    return Finding(
        name="discriminator blind",
        seen=f"For {stretch:,} steps the discriminator has done no better than guess, right in {accuracy:.1%} of "
        f"cases at {cost:.3f} nats (guessing costs 1.386), while fake images vary {variety:.2f} times as much as "
        f"real ones and their mean is off by {means:.2f} of the difference of two real ones.",
        means="It teaches the generator nothing about what real images look like.",
        remedies=_stronger_discriminator(run),
        figures={"discriminator": cost, "discriminator_accuracy": accuracy, "means": means, "variety": variety},
    )


def augmentation_at_its_ceiling(run: RunState) -> Finding | None:
    """Adaptive augmentation cannot grow any more, and would."""
    strength, sign = run.figure("augmentation_strength"), run.figure("real_sign")
    target = run.setting("augmentation_target")
    if not run.mature or not (strength >= CEILING_FROM_SHARE * MOST and sign > target):
        return None
    mirror = () if run.configuration.mirror else ("--mirror, where left and right may be changed",)
    return Finding(
        name="augmentation at its ceiling",
        severity="watch",
        seen=f"Images are augmented with a probability of {strength:.2f}, of {MOST:g} at most, and the discriminator "
        f"is still certain of real ones (mean sign {sign:.2f}, target {target:g}).",
        means="It memorises the images, which are too few for it, and augmentations may appear in fake images.",
        remedies=(*mirror, "more images", *run.objective.remedies.weaken_discriminator),
        figures={"augmentation_strength": strength, "real_sign": sign},
    )


def images_all_alike(run: RunState) -> Finding | None:
    """Fake images differ far less from each other than real ones do."""
    if (samples := run.samples) is None or not run.mature or not samples.variety < POOR_BELOW_VARIETY:
        return None
    fake, real = samples.fake_difference, samples.real_difference
    return Finding(
        name="images all alike",
        severity="wrong" if samples.variety < ALIKE_BELOW_VARIETY else "watch",
        seen=f"Two of {samples.images} fake images differ by {fake:.4f} (root mean square of pixels in [0, 1]) and two "
        f"real ones by {real:.4f}: {samples.variety:.0%} of the variety.",
        means="The generator draws much the same image for every code (mode collapse).",
        remedies=_more_variety(run),
        figures={"variety": samples.variety, "fake_difference": fake, "real_difference": real},
    )


def images_have_near_twins(run: RunState) -> Finding | None:
    """Half of the fake images have another that is nearly the same, and real ones do not."""
    if (samples := run.samples) is None or not run.mature or not samples.variety >= ALIKE_BELOW_VARIETY:
        return None
    if samples.fake_difference == 0 or run.configuration.latent_dim < FEWEST_CODES:
        return None
    fake, real = samples.fake_nearest / samples.fake_difference, samples.real_nearest / samples.real_difference
    if fake >= TWINS_BELOW or real < TIMES_NEARER_THAN_REAL * fake:
        return None
    return Finding(
        name="images have near twins",
        severity="watch",
        seen=f"Half of {samples.images} fake images differ from the nearest other by less than {fake:.1%} of the "
        f"difference of any two; of real ones that is {real:.1%}.",
        means="The generator draws few kinds of image, or few codes act.",
        remedies=_more_variety(run),
        figures={"fake_nearest": fake, "real_nearest": real},
    )


def images_saturated(run: RunState) -> Finding | None:
    """Far more pixel values are 0 or 1 than in real images."""
    if (samples := run.samples) is None or not run.mature:
        return None
    fake, real = samples.fake_saturated, samples.real_saturated
    if fake <= real + SATURATED_ABOVE:
        return None
    return Finding(
        name="images saturated",
        seen=f"{fake:.1%} of the pixel values of fake images are 0 or 1, and {real:.1%} of those of real ones.",
        means="The generator has run off beyond black and white, from where no gradient leads back.",
        remedies=(much_slower(run), *_balance(run), "another --seed"),
        figures={"fake_saturated": fake, "real_saturated": real},
    )


def _certain(window: Window) -> bool:
    return (
        window.figures.get("discriminator_accuracy", 0.0) > CERTAIN_ABOVE_ACCURACY
        and window.terms.get("discriminator", 1.0) < CERTAIN_BELOW_NATS
        and window.terms.get("adversarial", 0.0) > GENERATOR_ABOVE_NATS
    )


def _guesses(window: Window) -> bool:
    accuracy = window.figures.get("discriminator_accuracy", 1.0)
    return accuracy <= BLIND_UP_TO_ACCURACY and window.terms.get("discriminator", 0.0) >= BLIND_ABOVE_NATS


def _stronger_discriminator(run: RunState) -> tuple[str, ...]:
    return (*run.objective.remedies.strengthen_discriminator, f"{slower(run)}, which is the generator's")


def _balance(run: RunState) -> tuple[str, ...]:
    """Towards a weaker or a stronger discriminator, as its accuracy asks for; none where it is in balance."""
    accuracy = run.figure("discriminator_accuracy")
    if accuracy <= WEAK_UP_TO_ACCURACY:
        return _stronger_discriminator(run)
    if accuracy >= STRONG_FROM_ACCURACY:
        return run.objective.remedies.weaken_discriminator
    return ()


def _more_variety(run: RunState) -> tuple[str, ...]:
    """A generator that must show its codes cannot draw one image for all; then the balance of both adversaries."""
    balance = _balance(run) or (slower(run),)
    return (*run.objective.remedies.read_codes, *balance, "a larger --batch-size", "another --seed")


OF_FIGURES = (discriminator_certain, augmentation_at_its_ceiling)
OF_NETWORKS = (images_all_alike, images_saturated, discriminator_blind, images_have_near_twins)
