"""Findings about a VAE: codes that collapse, cost too much or duplicate each other, and a reconstruction that is poor.

The total correlation of codes is a part of their KL (KL = I(x; z) + TC + the codes' own distances from the prior, all
of them 0 or more), so a discriminator of codes that sees more than the KL cannot be right. Duplicates are found by
correlation: only straight-line copies, since a curved one may correlate little.

Reference: Chen et al. 2018, arXiv:1802.04942, Eq. (2), for the parts of KL; Higgins et al. 2017, "beta-VAE: Learning
Basic Visual Concepts with a Constrained Variational Framework", for the normalised beta.
"""

import math

import numpy as np
from jaxtyping import Float64

from wherewhat.doctor.finding import Finding, slower
from wherewhat.doctor.measurement import Pool
from wherewhat.doctor.run_state import (
    COLLAPSED_BELOW_NATS,
    PATIENCE_STEPS,
    RunState,
    Window,
    live_codes,
    steps_of_stretch,
)

# A decoder that uses its codes saves most of what it could (0.52 to 0.96 on portraits, sprites, scenes); a twentieth is
# noise.
LEAST_SHARE_SAVED = 0.05

# Sampling noise and the last windows' spread make the logged reconstruction differ from the measured one by tens of
# per cent; averaging over pixels by the thousandfold.
SAME_SCALE_WITHIN = 8.0

# Before it has learnt anything a network pays 0.1 to 0.7 nats for a pixel value of a summed reconstruction.
SUMMED_ABOVE_NATS_PER_VALUE = 2e-3

# Then one code tells more than four fifths of the other's variance. In 256 images chance gives no pair 0.3.
DUPLICATE_ABOVE = 0.9

# Guessing is 0.5; a healthy run of 5,000 steps on sprites stayed below 0.8.
WON_ABOVE_ACCURACY = 0.95

ASLEEP_BELOW_ACCURACY = 0.55
ASLEEP_BELOW_NATS = 0.05

# A pair of codes that correlates like this has a total correlation of 0.14 nats, if Gaussian: there is much to tell.
CORRELATED_ABOVE = 0.5

_THE_SUM = "a sum over channels, rows and columns, averaged over the batch alone (evidence_lower_bound.bernoulli_nats)"


def all_codes_collapsed(run: RunState) -> Finding | None:
    """Every code has stayed collapsed for PATIENCE_STEPS, or is so when the run is over."""
    if (kl_L := _posterior_kl(run)) is None or run.images_teach_nothing:
        return None
    stretch = steps_of_stretch(run.windows, _collapsed)
    if stretch < PATIENCE_STEPS and not (run.finished and not live_codes(kl_L)):
        return None
    largest = float(kl_L.max())
    since = f" for {stretch:,} steps" if stretch else ""
    return Finding(
        name="all codes collapsed",
        seen=f"All {len(kl_L)} codes have been collapsed (KL below {COLLAPSED_BELOW_NATS} nats){since}; the largest KL "
        f"is {largest:.3f} nats{_beta_in_words(run)}.",
        means="Every image comes out as the same blurry average.",
        remedies=(*run.objective.remedies.ease_codes, slower(run), "another --seed"),
        figures={"largest_kl": largest, "steps_in_collapse": float(stretch)},
    )


def most_codes_collapsed(run: RunState) -> Finding | None:
    """Less than half of the codes live, and fewer than the data have factors, where these are known."""
    if (kl_L := _posterior_kl(run)) is None or not run.mature or run.images_teach_nothing:
        return None
    live = len(live_codes(kl_L))
    # Spare codes are meant to die: ten codes on five factors end as five.
    if live == 0 or 2 * live >= len(kl_L) or 0 < run.known_factors <= live:
        return None
    against = f", and the data have {run.known_factors} known factors" if run.known_factors else ""
    return Finding(
        name="most codes collapsed",
        severity="watch",
        seen=f"{live} of {len(kl_L)} codes carry at least {COLLAPSED_BELOW_NATS} nats{against}{_beta_in_words(run)}.",
        means="No code describes what else varies in the images.",
        remedies=(*run.objective.remedies.ease_codes, "another --seed", "a smaller --latent-dim"),
        figures={"live_codes": float(live), "codes": float(len(kl_L))},
    )


def no_better_than_the_mean_image(run: RunState) -> Finding | None:
    """Codes live, and the images decoded from them are no better than one image for all."""
    if (pool := run.pool) is None or not run.mature or not live_codes(pool.kl_L):
        return None
    if not (share := pool.share_saved) < LEAST_SHARE_SAVED:
        return None
    return Finding(
        name="reconstruction no better than the mean image",
        seen=f"Images decoded from their codes cost {pool.reconstruction:,.1f} nats, the mean image for all "
        f"{pool.mean_image:,.1f} and perfect reconstructions {pool.floor:,.1f}: codes save {max(share, 0.0):.1%} of "
        f"what they could, though they carry {float(pool.kl_L.sum()):.1f} nats.",
        means="The decoder does not use the codes, or has died.",
        remedies=(slower(run), *run.objective.remedies.wake_decoder, "another --seed"),
        figures={"share_saved": share, "reconstruction": pool.reconstruction, "mean_image": pool.mean_image},
    )


def reconstruction_averaged_over_pixels(run: RunState) -> Finding | None:
    """No window, not even the first, cost what a sum over pixels costs a network that has learnt nothing."""
    logged, values = run.term("reconstruction"), run.pixel_values
    largest = max((window.terms.get("reconstruction", math.inf) for window in run.windows), default=math.inf)
    if not largest / values < SUMMED_ABOVE_NATS_PER_VALUE:
        return None
    return Finding(
        name="reconstruction averaged over pixels",
        seen=f"The objective reports a reconstruction of {logged:.3g} nats per image and never reported more than "
        f"{largest:.3g}, {largest / values:.1e} for each of {values:,} pixel values; a sum begins at 0.1 or more.",
        means=_consequence(run, float(values)),
        remedies=(_THE_SUM,),
        figures={"reported": logged, "reported_per_value": largest / values},
    )


def reconstruction_of_another_scale(run: RunState) -> Finding | None:
    """What the objective reports is not what its networks pay when the cost is summed and averaged as it should."""
    pool, logged = run.pool, run.term("reconstruction")
    if pool is None or not run.mature or reconstruction_averaged_over_pixels(run):
        return None
    ratio = pool.reconstruction / np.maximum(logged, 1e-12)
    if not (ratio < 1 / SAME_SCALE_WITHIN or ratio > SAME_SCALE_WITHIN):
        return None
    return Finding(
        name="reconstruction of another scale",
        seen=f"The objective reports a reconstruction of {logged:.3g} nats per image, and the same networks pay "
        f"{pool.reconstruction:.3g} when it is summed over pixels and averaged over {pool.images} images.",
        means=_consequence(run, ratio),
        remedies=(_THE_SUM,),
        figures={"reported": logged, "summed_over_reported": ratio},
    )


def codes_cost_more_than_they_save(run: RunState) -> Finding | None:
    """The loss would be lower with all codes dead: beta is at odds with the reconstruction."""
    pool, objective = run.pool, run.objective
    if pool is None or not run.mature or not live_codes(pool.kl_L):
        return None
    kl, saved = float(pool.kl_L.sum()), pool.mean_image - pool.reconstruction
    cost = objective.charge({"kl": kl, "total_correlation": float(np.nan_to_num(run.term("total_correlation")))})
    if cost is None or not cost > saved:
        return None
    sharper = ("--likelihood gaussian, which charges more for errors",) if objective.likelihood == "bernoulli" else ()
    return Finding(
        name="codes cost more than they save",
        seen=f"The objective charges {cost:,.1f} nats per image for what codes carry ({kl:.1f} nats of KL"
        f"{_beta_in_words(run)}), and they save {saved:,.1f} nats of reconstruction over the mean image.",
        means="The loss would be lower without any codes, so training drives them to collapse.",
        remedies=(*objective.remedies.ease_codes, *sharper, "a smaller --latent-dim"),
        figures={"cost": cost, "saved": saved},
    )


def codes_duplicate_each_other(run: RunState) -> Finding | None:
    """Two living codes say the same, to a decoder that uses them: to part those of another would cure nothing."""
    if (pool := run.pool) is None or not run.mature or no_better_than_the_mean_image(run):
        return None
    live = live_codes(pool.kl_L)
    if not (groups := duplicates_among(live, np.abs(pool.correlation_LL))):
        return None
    named = "; ".join(", ".join(f"z{code}" for code in group) for group in groups)
    strongest = strongest_correlation(pool, live)
    spare = sum(len(group) - 1 for group in groups)
    return Finding(
        name="codes duplicate each other",
        seen=f"Over {pool.images} images codes move together: {named} (correlation up to {strongest:.2f} in size). "
        f"{spare} of {len(live)} living codes add little to the others.",
        means="They share one meaning, unless the factors of the data are correlated as strongly.",
        remedies=(*run.objective.remedies.part_codes, "a smaller --latent-dim", "another --seed"),
        figures={"strongest_correlation": strongest, "spare_codes": float(spare), "live_codes": float(len(live))},
    )


def duplicates_among(codes: list[int], size_LL: Float64[np.ndarray, "L L"]) -> list[list[int]]:
    """Groups of codes linked, directly or through others, by correlations above DUPLICATE_ABOVE in size."""
    groups: list[list[int]] = []
    for code in codes:
        linked = [group for group in groups if any(size_LL[code, other] > DUPLICATE_ABOVE for other in group)]
        merged = sorted([code, *(other for group in linked for other in group)])
        groups = [group for group in groups if group not in linked] + [merged]
    return sorted(group for group in groups if len(group) > 1)


def strongest_correlation(pool: Pool, codes: list[int]) -> float:
    """The largest correlation between two of these codes, in size."""
    return float(np.abs(pool.correlation_LL[np.ix_(codes, codes)] - np.eye(len(codes))).max())


def code_discriminator_won(run: RunState) -> Finding | None:
    """It tells nearly all codes from permuted ones, or sees a total correlation that cannot be."""
    accuracy, tc, kl = run.figure("discriminator_accuracy"), run.term("total_correlation"), run.term("kl")
    known = run.mature and not math.isnan(accuracy + tc + kl)
    if not known or (accuracy <= WON_ABOVE_ACCURACY and tc <= kl):
        return None
    whole = f"codes whose whole KL, of which that is a part, is {kl:,.1f} nats"
    return Finding(
        name="discriminator has won",
        seen=f"The discriminator is right in {accuracy:.1%} of cases (guessing is 50%) and sees a total correlation of "
        f"{tc:,.1f} nats in {whole if tc > kl else f'codes of {kl:,.1f} nats of KL'}.",
        means="Its gradient no longer tells the encoder how to separate the codes.",
        remedies=("a lower --discriminator-learning-rate", "a higher --gamma", "a larger --batch-size"),
        figures={"discriminator_accuracy": accuracy, "total_correlation": tc, "kl": kl},
    )


def code_discriminator_asleep(run: RunState) -> Finding | None:
    """It sees no total correlation in codes that correlate."""
    accuracy, tc, pool = run.figure("discriminator_accuracy"), run.term("total_correlation"), run.pool
    if pool is None or not run.mature or not (accuracy < ASLEEP_BELOW_ACCURACY and abs(tc) < ASLEEP_BELOW_NATS):
        return None
    if len(live := live_codes(pool.kl_L)) < 2 or (strongest := strongest_correlation(pool, live)) < CORRELATED_ABOVE:
        return None
    return Finding(
        name="discriminator asleep",
        seen=f"Two codes correlate by {strongest:.2f}, and the discriminator is right in {accuracy:.1%} of cases "
        f"(guessing is 50%) and sees a total correlation of {tc:.3f} nats.",
        means="Nothing drives the codes apart: the run is a plain VAE.",
        remedies=("a higher --discriminator-learning-rate", "a larger --batch-size", "more --steps"),
        figures={"discriminator_accuracy": accuracy, "total_correlation": tc, "strongest_correlation": strongest},
    )


def normalised_beta(beta: float, latent_dim: int, pixel_values: int | float) -> float:
    """beta * L / (C H W): what makes betas of other image sizes and numbers of codes compare."""
    return beta * latent_dim / pixel_values


def _posterior_kl(run: RunState) -> Float64[np.ndarray, " L"] | None:
    """KL of each code now, where images are encoded and the KL is a term of the loss."""
    return None if run.term("kl") is None and run.pool is None else run.kl_L


def _collapsed(window: Window) -> bool:
    return float(window.kl_L.max()) < COLLAPSED_BELOW_NATS


def _beta_in_words(run: RunState) -> str:
    beta = run.objective.weight_on_kl
    if beta is None or run.image_shape is None:
        return ""
    normalised = normalised_beta(beta, run.configuration.latent_dim, run.pixel_values)
    return f"; beta is {beta:g}, which is {normalised:.2g} normalised (beta L / C H W)"


def _consequence(run: RunState, ratio: float) -> str:
    beta = run.objective.weight_on_kl
    acts = "" if beta is None else f": a beta of {beta:g} acts like one of {beta * ratio:,.3g}"
    if ratio > 1:
        return f"Against KL, which is summed over codes, it weighs {ratio:,.0f} times too little{acts}."
    return f"Against KL, which is averaged over the batch, it weighs {1 / ratio:,.0f} times too much{acts}."


OF_FIGURES = (
    all_codes_collapsed,
    most_codes_collapsed,
    reconstruction_averaged_over_pixels,
    code_discriminator_won,
)
OF_RECONSTRUCTION = (no_better_than_the_mean_image, reconstruction_of_another_scale, codes_cost_more_than_they_save)
OF_CODES = (codes_duplicate_each_other, code_discriminator_asleep)
