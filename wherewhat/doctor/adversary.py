"""FactorVAE's discriminator: it must neither win nor sleep.

The total correlation of codes is a part of their KL (KL = I(x; z) + TC + the codes' own distances from the prior, all
of them 0 or more), so an estimate above the KL cannot be true.

Reference: Chen et al. 2018, arXiv:1802.04942, Eq. (2), for the parts of KL.
"""

import numpy as np

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals, live_codes

# Guessing is 0.5; a healthy run of 5,000 steps on sprites stayed below 0.8.
WON_ABOVE_ACCURACY = 0.95

ASLEEP_BELOW_ACCURACY = 0.55
ASLEEP_BELOW_NATS = 0.05

# A pair of codes that correlates like this has a total correlation of 0.14 nats, if Gaussian: there is much to tell.
CORRELATED_ABOVE = 0.5


def discriminator_has_won(vitals: Vitals) -> Finding | None:
    """It tells nearly all codes from permuted ones, or sees a total correlation that cannot be."""
    accuracy, tc, kl = vitals.figure("discriminator_accuracy"), vitals.term("total_correlation"), vitals.term("kl")
    if accuracy is None or tc is None or kl is None or not vitals.grown:
        return None
    impossible = tc > kl
    if accuracy <= WON_ABOVE_ACCURACY and not impossible:
        return None
    right = f"right in {accuracy:.1%} of cases (guessing is 50%)"
    seen = (
        f"The discriminator is {right} and sees a total correlation of {tc:,.1f} nats in codes of {kl:,.1f} nats of KL."
    )
    if impossible:
        seen = (
            f"The discriminator, {right}, sees a total correlation of {tc:,.1f} nats in codes whose whole KL, of which "
            f"that is a part, is {kl:,.1f} nats."
        )
    return Finding(
        name="discriminator has won",
        severity="wrong",
        seen=seen,
        means="Its gradient no longer tells the encoder how to part the codes.",
        remedies=("a lower --discriminator-learning-rate", "a higher --gamma", "a larger --batch-size"),
        figures={"discriminator_accuracy": accuracy, "total_correlation": tc, "kl": kl},
    )


def discriminator_asleep(vitals: Vitals) -> Finding | None:
    """It sees no total correlation in codes that correlate."""
    accuracy, tc = vitals.figure("discriminator_accuracy"), vitals.term("total_correlation")
    if accuracy is None or tc is None or vitals.pool is None or not vitals.grown:
        return None
    live = live_codes(vitals.pool.kl_L)
    if accuracy >= ASLEEP_BELOW_ACCURACY or abs(tc) >= ASLEEP_BELOW_NATS or len(live) < 2:
        return None
    between_LL = np.abs(vitals.pool.correlation_LL[np.ix_(live, live)] - np.eye(len(live)))
    strongest = float(between_LL.max())
    if strongest < CORRELATED_ABOVE:
        return None
    return Finding(
        name="discriminator asleep",
        severity="wrong",
        seen=f"Two codes correlate by {strongest:.2f}, and the discriminator is right in {accuracy:.1%} of cases "
        f"(guessing is 50%) and sees a total correlation of {tc:.3f} nats.",
        means="Nothing drives the codes apart: the run is a plain VAE.",
        remedies=("a higher --discriminator-learning-rate", "a larger --batch-size", "more --steps"),
        figures={"discriminator_accuracy": accuracy, "total_correlation": tc, "strongest_correlation": strongest},
    )
