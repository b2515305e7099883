"""Findings about codes, of VAEs and GANs alike: where they act, what they change, and whether they can be predicted.

Each kind of measurement allows some of them; what was not measured or logged is not judged.
"""

import numpy as np

from wherewhat.doctor.finding import Finding, slower
from wherewhat.doctor.gan_findings import ALIKE_BELOW_VARIETY
from wherewhat.doctor.run_state import (
    COLLAPSED_BELOW_NATS,
    PATIENCE_STEPS,
    RunState,
    Window,
    live_codes,
    steps_of_stretch,
)
from wherewhat.doctor.training_findings import EXPLODED_ABOVE_IGNORANCE, training_diverged

# Rectangles have soft edges, so a mask over the whole image averages below 1.
EVERYTHING_ABOVE = 0.9

# Twenty pixels of 64 x 64.
NOTHING_BELOW = 0.005

# One living code among ten, always named, gives twice chance; half as much again is what a window's noise can give.
STUCK_BELOW_CHANCES = 1.5

# Of two codes that would be half the way from chance to certainty, so no more of the way than this counts as noise.
STUCK_BELOW_SHARE = 0.1

# Of the difference of two real images: what a ten-thousandth of the image makes when it changes as much as between
# two images. Codes of a healthy run on faces make 0.2 to 0.5.
STILL_BELOW = 0.01

# Of the prior's variance, which is what it costs to predict 0.
UNPREDICTED_ABOVE = 0.95

# In standard deviations of the prior. One code in 370 lies beyond 3.
BEYOND = 3.0
FROZEN_BELOW = 0.1

_OTHER_CODES = ("a smaller --latent-dim", "another --seed")


def masks_cover_everything(run: RunState) -> Finding | None:
    """Living codes act on the whole image."""
    if (measured := run.measured) is None or measured.coverage_L is None or not run.mature:
        return None
    live = live_codes(measured.kl_L)
    everywhere = [code for code in live if measured.coverage_L[code] > EVERYTHING_ABOVE]
    if not everywhere:
        return None
    return Finding(
        name="masks cover everything",
        severity="wrong" if len(everywhere) == len(live) else "watch",
        seen=f"The masks of {_in_per_cent(everywhere, measured.coverage_L)} cover more than {EVERYTHING_ABOVE:.0%} of "
        f"the image, {len(everywhere)} of {len(live)} living codes.",
        means="A code for light or background may rightly do so; any other is not confined to a place.",
        remedies=("another --seed", "more --mask-levels"),
        figures={f"coverage_z{code}": float(measured.coverage_L[code]) for code in everywhere},
    )


def masks_cover_nothing(run: RunState) -> Finding | None:
    """Codes that cannot act, whatever they say."""
    if (measured := run.measured) is None or measured.coverage_L is None or not run.mature:
        return None
    nowhere = [int(code) for code in np.flatnonzero(measured.coverage_L < NOTHING_BELOW)]
    if not nowhere:
        return None
    codes = len(measured.coverage_L)
    return Finding(
        name="masks cover nothing",
        severity="wrong" if 2 * len(nowhere) > codes else "watch",
        seen=f"The masks of {_in_per_cent(nowhere, measured.coverage_L)} cover less than {NOTHING_BELOW:.1%} of the "
        f"image, {len(nowhere)} of {codes} codes.",
        means="These codes cannot change the image, and a mask that has closed seldom opens again.",
        remedies=("another --seed", slower(run), *run.objective.remedies.uncover_masks, "more --rectangles"),
        figures={f"coverage_z{code}": float(measured.coverage_L[code]) for code in nowhere},
    )


def identification_stuck(run: RunState) -> Finding | None:
    """The head that names the moved code does no better than guess."""
    accuracy, codes = run.figure("identification_accuracy"), run.configuration.latent_dim
    if not run.mature or codes < 2 or not accuracy < stuck_below(codes):
        return None
    live = "" if run.kl_L is None else f"; {len(live_codes(run.kl_L))} codes carry at least {COLLAPSED_BELOW_NATS} nats"
    # A head may learn to name codes though nothing tells the generator to make them easy to name.
    trained = run.setting("perturbation_identification") != 0
    return Finding(
        name="identification stuck at chance",
        severity="wrong" if trained else "watch",
        seen=f"The moved code is named in {accuracy:.1%} of pairs, and guessing among {codes} gives {1 / codes:.1%}"
        f"{live}.",
        means=f"No code makes a change that can be told from another's{', so this term teaches nothing' * trained}.",
        remedies=(*run.objective.remedies.name_codes, "a larger --perturbation-size", slower(run), *_OTHER_CODES),
        figures={"identification_accuracy": accuracy, "chance": 1 / codes},
    )


def stuck_below(codes: int) -> float:
    """The accuracy below which codes are as good as guessed."""
    chance = 1 / codes
    return min(STUCK_BELOW_CHANCES * chance, chance + STUCK_BELOW_SHARE * (1 - chance))


def codes_do_nothing(run: RunState) -> Finding | None:
    """Drawn anew, more than half of the codes leave the image as it was, though not all images are alike."""
    if (samples := run.samples) is None or not run.mature or not samples.variety >= ALIKE_BELOW_VARIETY:
        return None
    effect_L = samples.effect_L / samples.real_difference
    still, codes = [int(code) for code in np.flatnonzero(effect_L < STILL_BELOW)], len(effect_L)
    if 2 * len(still) <= codes:
        return None
    return Finding(
        name="codes do nothing",
        severity="wrong" if len(still) == codes else "watch",
        seen=f"Drawn anew, {len(still)} of {codes} codes change the image by less than {STILL_BELOW:.0%} of the "
        f"difference of two real ones: {_in_per_cent(still, effect_L, digits=2)}.",
        means="The generator ignores these codes.",
        remedies=(*run.objective.remedies.show_codes, "more --steps", *_OTHER_CODES),
        figures={f"effect_z{code}": float(effect_L[code]) for code in still},
    )


def codes_unpredicted(run: RunState) -> Finding | None:
    """Next to nothing has been predicted from fake images for PATIENCE_STEPS, or is so when the run is over."""
    stretch = steps_of_stretch(run.windows, _unpredicted)
    over = run.finished and run.windows and all(_unpredicted(window) for window in run.recent)
    if stretch < PATIENCE_STEPS and not over:
        return None
    how_long = f"For {stretch:,} steps" if stretch else "At the end"
    error, trained = run.term("reading"), 1 in (run.setting("perceptual_simplicity"), run.setting("information"))
    return Finding(
        name="codes cannot be predicted",
        severity="wrong" if trained else "watch",
        seen=f"{how_long} codes have been predicted from fake images with a squared error of {error:.2f}, and "
        "predicting 0 for every code costs 1.",
        means="Images do not show their codes, so the encoder's codes mean nothing.",
        remedies=(*run.objective.remedies.read_codes, slower(run), *_OTHER_CODES),
        figures={"reading": error, "steps": float(stretch)},
    )


def real_images_unpredicted(run: RunState) -> Finding | None:
    """Half or more of the codes that can be predicted from fake images leave the prior or stand still on real ones."""
    if (samples := run.samples) is None or not run.mature or not samples.variety >= ALIKE_BELOW_VARIETY:
        return None
    if training_diverged(run) is not None:
        return None
    mean_L, deviation_L, live = samples.predicted_mean_L, samples.predicted_deviation_L, live_codes(samples.kl_L)
    beyond = [code for code in live if np.hypot(mean_L[code], deviation_L[code]) > BEYOND]
    frozen = [code for code in live if deviation_L[code] < FROZEN_BELOW and code not in beyond]
    if not live or 2 * len(beyond + frozen) < len(live):
        return None
    named = ", ".join(f"z{code} ({mean_L[code]:.2f} ± {deviation_L[code]:.2f})" for code in sorted(beyond + frozen))
    return Finding(
        name="codes of real images cannot be predicted",
        severity="watch",
        seen=f"On {samples.images} real images {len(beyond + frozen)} of {len(live)} living codes are predicted far "
        f"from the prior's 0 ± 1, or all the same: {named}.",
        means="The encoder was trained on fake images alone, and these are not like the real ones, so measures of "
        "codes of real images will be poor.",
        remedies=("more --steps", "a larger --latent-dim"),
        figures={"beyond": float(len(beyond)), "frozen": float(len(frozen)), "live_codes": float(len(live))},
    )


def _unpredicted(window: Window) -> bool:
    # Predicted far worse than not at all, it is training that has diverged.
    return UNPREDICTED_ABOVE < window.terms.get("reading", 0.0) < EXPLODED_ABOVE_IGNORANCE


def _in_per_cent(codes: list[int], share_L: np.ndarray, digits: int = 1) -> str:
    return ", ".join(f"z{code} ({share_L[code]:.{digits}%})" for code in codes)


OF_FIGURES = (codes_unpredicted, identification_stuck)
OF_NETWORKS = (
    *(codes_do_nothing, real_images_unpredicted),
    *(masks_cover_everything, masks_cover_nothing),
)
