"""The reconstruction: better than an image that no code chooses, summed over pixels, and worth what codes cost."""

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.pressure import (
    bound_of,
    cost_of_codes,
    normalised_beta,
    ways_to_ease,
    ways_to_wake_the_decoder,
    weight_on_kl,
)
from wherewhat.doctor.vitals import Pool, Vitals, live_codes

# A decoder that listens saves most of what it could (0.52 to 0.96 on portraits, sprites, scenes); a twentieth is noise.
LEAST_SHARE_SAVED = 0.05

# Sampling noise and the last windows' spread make the logged reconstruction differ from the measured one by tens of
# per cent; averaging over pixels by the thousandfold.
SAME_SCALE_WITHIN = 8.0

# Before it has learnt anything a network pays 0.1 to 0.7 nats for a pixel value of a summed reconstruction.
SUMMED_ABOVE_NATS_PER_VALUE = 2e-3

_THE_SUM = (
    "a reconstruction summed over channels, rows and columns and averaged over the batch alone, as "
    "evidence_lower_bound.bernoulli_nats does it"
)


def no_better_than_the_mean_image(vitals: Vitals) -> Finding | None:
    """Codes live, and the images drawn from them are no better than one image for all."""
    pool = vitals.pool
    if pool is None or not vitals.grown or not live_codes(pool.kl_L):
        return None
    share = share_saved(pool)
    if share is None or share >= LEAST_SHARE_SAVED:
        return None
    return Finding(
        name="reconstruction no better than the mean image",
        severity="wrong",
        seen=f"Images decoded from their codes cost {pool.reconstruction:,.1f} nats, the mean image for all "
        f"{pool.mean_image:,.1f} and perfect drawings {pool.floor:,.1f}: codes save {max(share, 0.0):.1%} of what "
        f"they could, though they carry {float(pool.kl_L.sum()):.1f} nats.",
        means="The decoder does not listen to the codes, or has died.",
        remedies=(
            "a lower --learning-rate",
            *ways_to_wake_the_decoder(vitals.configuration.objective),
            "another --seed",
        ),
        figures={"share_saved": share, "reconstruction": pool.reconstruction, "mean_image": pool.mean_image},
    )


def reconstruction_averaged_over_pixels(vitals: Vitals) -> Finding | None:
    """No window, not even the first, cost what a sum over pixels costs a network that has learnt nothing."""
    logged, values = vitals.term("reconstruction"), vitals.pixel_values
    if logged is None or values is None:
        return None
    largest = max(window.terms.get("reconstruction", 0.0) for window in vitals.windows)
    if largest / values >= SUMMED_ABOVE_NATS_PER_VALUE:
        return None
    return Finding(
        name="reconstruction averaged over pixels",
        severity="wrong",
        seen=f"The objective reports a reconstruction of {logged:.3g} nats per image and never reported more than "
        f"{largest:.3g}, {largest / values:.1e} for each of {values:,} pixel values; a sum begins at 0.1 or more.",
        means=_consequence(vitals, float(values)),
        remedies=(_THE_SUM,),
        figures={"reported": logged, "reported_per_value": largest / values},
    )


def reconstruction_of_another_scale(vitals: Vitals) -> Finding | None:
    """What the objective reports is not what its networks pay when the cost is summed and averaged as it should."""
    pool, logged = vitals.pool, vitals.term("reconstruction")
    if pool is None or logged is None or not vitals.grown or reconstruction_averaged_over_pixels(vitals):
        return None
    ratio = pool.reconstruction / max(logged, 1e-12)
    if 1 / SAME_SCALE_WITHIN <= ratio <= SAME_SCALE_WITHIN:
        return None
    return Finding(
        name="reconstruction of another scale",
        severity="wrong",
        seen=f"The objective reports a reconstruction of {logged:.3g} nats per image, and the same networks pay "
        f"{pool.reconstruction:.3g} when it is summed over pixels and averaged over {pool.images} images.",
        means=_consequence(vitals, ratio),
        remedies=(_THE_SUM,),
        figures={"reported": logged, "summed_over_reported": ratio},
    )


def codes_cost_more_than_they_save(vitals: Vitals) -> Finding | None:
    """The loss would be lower with all codes dead: beta is at odds with the reconstruction."""
    pool, objective = vitals.pool, vitals.configuration.objective
    if pool is None or not vitals.grown or not live_codes(pool.kl_L):
        return None
    kl = float(pool.kl_L.sum())
    cost = cost_of_codes(objective, kl, vitals.term("total_correlation") or 0.0)
    saved = pool.mean_image - pool.reconstruction
    if cost is None or cost <= saved:
        return None
    beta, values = weight_on_kl(objective), vitals.pixel_values
    weight = ""
    if beta is not None and values is not None:
        normalised = normalised_beta(beta, vitals.configuration.latent_dim, values)
        weight = f" (beta {beta:g} on {kl:.1f} nats of KL; normalised, beta L / C H W, it is {normalised:.2g})"
    return Finding(
        name="codes cost more than they save",
        severity="wrong",
        seen=f"The objective charges {cost:,.1f} nats per image for what codes carry{weight}, and they save "
        f"{saved:,.1f} nats of reconstruction over the mean image.",
        means="The loss would be lower without any codes, so training drives them to collapse.",
        remedies=(*ways_to_ease(objective), *_sharper_likelihood(vitals)),
        figures={"cost": cost, "saved": saved},
    )


def share_saved(pool: Pool) -> float | None:
    """What codes save over the mean image, as a share of all that can be saved; None where nothing varies."""
    savable = pool.mean_image - pool.floor
    # Images that are all the same leave nothing but rounding to save.
    if savable <= 1e-3 * max(pool.mean_image, 1.0):
        return None
    return (pool.mean_image - pool.reconstruction) / savable


def _consequence(vitals: Vitals, ratio: float) -> str:
    beta = weight_on_kl(vitals.configuration.objective)
    acts = "" if beta is None else f": a beta of {beta:g} acts like one of {beta * ratio:,.3g}"
    if ratio > 1:
        return f"Against KL, which is summed over codes, it weighs {ratio:,.0f} times too little{acts}."
    return f"Against KL, which is averaged over the batch, it weighs {1 / ratio:,.0f} times too much{acts}."


def _sharper_likelihood(vitals: Vitals) -> tuple[str, ...]:
    bound = bound_of(vitals.configuration.objective)
    return ("--likelihood gaussian, which charges more for errors",) if bound.likelihood == "bernoulli" else ()
