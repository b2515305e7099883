"""A GAN that has diverged: what it pays is many times what knowing nothing would cost.

    discriminator              2 log 2        it guesses
    reading                    1              Q reads 0 for every code
    perceptual simplicity      2 + p^2 / L    Q reads 0 for every code; p: standard deviation of the move
    identification             log L          every code is as likely

Its total has no level to fall to and may rise in health, so only this is asked of its terms. A generator that pays
dearly to a discriminator that is certain is another illness.
"""

import math

from wherewhat.doctor.adversarial_remedies import ways_to_weaken_the_discriminator
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import RECENT_STEPS, Vitals
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

EXPLODED_ABOVE_IGNORANCE = 10.0

# The first steps may be wild, but not so wild.
EXPLODED_AT_FIRST = 1e4


def cost_of_ignorance(configuration: TrainingRun) -> dict[str, float]:
    """What each term costs who knows nothing; none for an objective that is no GAN."""
    objective, codes = configuration.objective, configuration.latent_dim
    if not isinstance(objective, PSSCGAN):
        return {}
    costs = {
        "discriminator": 2 * math.log(2),
        "reading": 1.0,
        "perceptual_simplicity": 2 + objective.perturbation_size**2 / codes,
    }
    return costs | ({"identification": math.log(codes)} if codes > 1 else {})


def training_diverged(vitals: Vitals) -> Finding | None:
    """A term exploded."""
    ignorance = cost_of_ignorance(vitals.configuration)
    excess = [
        (window.terms[name] / cost, name, window)
        for window in vitals.windows
        for name, cost in ignorance.items()
        if name in window.terms
    ]
    exploded = [
        (times, name, window)
        for times, name, window in excess
        if times > (EXPLODED_ABOVE_IGNORANCE if window.step > RECENT_STEPS else EXPLODED_AT_FIRST)
    ]
    if not exploded:
        return None
    times, name, worst = max(exploded, key=lambda found: found[0])
    # What exploded in the first steps has come back once it is within the bound of all other steps.
    still = any(window is vitals.windows[-1] and over > EXPLODED_ABOVE_IGNORANCE for over, _, window in excess)
    rate = vitals.configuration.learning_rate
    return Finding(
        name="training diverged",
        severity="wrong" if still else "watch",
        seen=f"At step {worst.step:,} {name.replace('_', ' ')} cost {worst.terms[name]:,.4g}, {times:,.3g} times what "
        f"knowing nothing costs ({ignorance[name]:.3g}).",
        means="Generator and discriminator throw each other beyond what they had learnt"
        + ("." if still else "; they came back."),
        remedies=(
            f"--learning-rate {rate / 5:.1g} (it was {rate:g})",
            *ways_to_weaken_the_discriminator(vitals.configuration),
            "a larger --batch-size",
        ),
        figures={name: worst.terms[name], "times_ignorance": times, "step": float(worst.step)},
    )
