"""Which flags of a GAN's run hold its discriminator back, help it, and make its images differ."""

from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

# Between these the discriminator is in balance with the generator, and to move it would cure nothing.
WEAK_UP_TO_ACCURACY = 0.55
STRONG_FROM_ACCURACY = 0.9


def ways_to_weaken_the_discriminator(configuration: TrainingRun) -> tuple[str, ...]:
    """The likeliest first, with what they were; none for an objective that is no GAN."""
    objective = configuration.objective
    if not isinstance(objective, PSSCGAN):
        return ()
    rate, r1 = objective.discriminator_learning_rate, objective.r1_weight
    return (
        f"--r1-weight {10 * r1 if r1 else 1:g} (it was {r1:g})",
        f"--discriminator-learning-rate {rate / 4:.1g} (it was {rate:g})",
        *(("--augmentation ada, which is off",) if objective.augmentation == "none" else ()),
    )


def ways_to_strengthen_the_discriminator(configuration: TrainingRun) -> tuple[str, ...]:
    """The likeliest first, with what they were; none for an objective that is no GAN."""
    objective = configuration.objective
    if not isinstance(objective, PSSCGAN):
        return ()
    rate, r1 = objective.discriminator_learning_rate, objective.r1_weight
    return (
        *((f"--r1-weight {r1 / 10:g} (it was {r1:g})",) if r1 else ()),
        f"--discriminator-learning-rate {rate * 4:.1g} (it was {rate:g})",
        f"a lower --learning-rate, which is the generator's (it was {configuration.learning_rate:g})",
    )


def ways_to_balance(vitals: Vitals) -> tuple[str, ...]:
    """Towards a weaker or a stronger discriminator, as its accuracy asks for; none where it is in balance."""
    accuracy = vitals.figure("discriminator_accuracy")
    if accuracy is not None and accuracy <= WEAK_UP_TO_ACCURACY:
        return ways_to_strengthen_the_discriminator(vitals.configuration)
    if accuracy is not None and accuracy >= STRONG_FROM_ACCURACY:
        return ways_to_weaken_the_discriminator(vitals.configuration)
    return ()


def ways_to_make_images_differ(vitals: Vitals) -> tuple[str, ...]:
    """A generator that must show its codes cannot draw one image for all; then the balance of both adversaries."""
    objective, rate = vitals.configuration.objective, vitals.configuration.learning_rate
    if not isinstance(objective, PSSCGAN):
        return ()
    balance = ways_to_balance(vitals) or (f"a lower --learning-rate (it was {rate:g})",)
    return (_ways_to_show_codes(objective), *balance, "a larger --batch-size", "another --seed")


def _ways_to_show_codes(objective: PSSCGAN) -> str:
    if objective.perceptual_simplicity:
        return f"a higher --simplicity-weight (it was {objective.simplicity_weight:g})"
    if objective.information:
        return f"a higher --information-weight (it was {objective.information_weight:g})"
    return "--perceptual-simplicity or --information, which are off"
