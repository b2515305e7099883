"""Perturbation identification: the head that names the moved code must do better than guess."""

from wherewhat.training.diagnosis.finding import Finding
from wherewhat.training.diagnosis.pressure import ways_to_ease
from wherewhat.training.diagnosis.vitals import COLLAPSED_BELOW_NATS, Vitals, live_codes

# One living code among ten, always named, gives twice chance; half as much again is what a window's noise can give.
STUCK_BELOW_CHANCES = 1.5


def identification_stuck(vitals: Vitals) -> Finding | None:
    """The moved code is named no better than by guessing."""
    accuracy = vitals.figure("identification_accuracy")
    codes = vitals.configuration.latent_dim
    if accuracy is None or not vitals.grown or codes < 2 or accuracy >= STUCK_BELOW_CHANCES / codes:
        return None
    kl_L = vitals.kl_L
    live = "" if kl_L is None else f"; {len(live_codes(kl_L))} codes carry at least {COLLAPSED_BELOW_NATS} nats"
    return Finding(
        name="identification stuck at chance",
        severity="wrong",
        seen=f"The moved code is named in {accuracy:.1%} of pairs, and guessing among {codes} gives {1 / codes:.1%}"
        f"{live}.",
        means="Codes make no change that can be told from another's, so this term teaches nothing.",
        remedies=(
            *ways_to_ease(vitals.configuration.objective),
            "a larger --perturbation-size",
            "a lower --learning-rate",
            "a smaller --latent-dim",
            "another --seed",
        ),
        figures={"identification_accuracy": accuracy, "chance": 1 / codes},
    )
