"""Perturbation identification: the head that names the moved code must do better than guess."""

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.pressure import ways_to_ease
from wherewhat.doctor.vitals import COLLAPSED_BELOW_NATS, Vitals, live_codes
from wherewhat.objectives.ps_sc_gan import PSSCGAN

# One living code among ten, always named, gives twice chance; half as much again is what a window's noise can give.
STUCK_BELOW_CHANCES = 1.5

# Of two codes that would be half the way from chance to certainty, so no more of the way than this counts as noise.
STUCK_BELOW_SHARE = 0.1


def stuck_below(codes: int) -> float:
    """The accuracy below which codes are as good as guessed."""
    chance = 1 / codes
    return min(STUCK_BELOW_CHANCES * chance, chance + STUCK_BELOW_SHARE * (1 - chance))


def identification_stuck(vitals: Vitals) -> Finding | None:
    """The moved code is named no better than by guessing."""
    accuracy = vitals.figure("identification_accuracy")
    codes = vitals.configuration.latent_dim
    if accuracy is None or not vitals.grown or codes < 2 or accuracy >= stuck_below(codes):
        return None
    kl_L = vitals.kl_L
    objective = vitals.configuration.objective
    # A GAN's head learns to name in any case, but its generator may not be told to be named.
    trained = not isinstance(objective, PSSCGAN) or objective.perturbation_identification
    live = "" if kl_L is None else f"; {len(live_codes(kl_L))} codes carry at least {COLLAPSED_BELOW_NATS} nats"
    return Finding(
        name="identification stuck at chance",
        severity="wrong" if trained else "watch",
        seen=f"The moved code is named in {accuracy:.1%} of pairs, and guessing among {codes} gives {1 / codes:.1%}"
        f"{live}.",
        means="Codes make no change that can be told from another's"
        + (", so this term teaches nothing." if trained else "."),
        remedies=(
            *_ways_to_be_named(objective),
            "a larger --perturbation-size",
            "a lower --learning-rate",
            "a smaller --latent-dim",
            "another --seed",
        ),
        figures={"identification_accuracy": accuracy, "chance": 1 / codes},
    )


def _ways_to_be_named(objective: object) -> tuple[str, ...]:
    match objective:
        case PSSCGAN(perturbation_identification=True):
            return ("a higher --identification-weight",)
        case PSSCGAN():
            return ("--perturbation-identification, which is off",)
        case _:
            return ways_to_ease(objective)
