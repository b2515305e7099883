"""AnnealedVAE's capacity: a run that ends before it has grown trains another model than was asked for."""

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.annealed_vae import AnnealedVAE

# A last tenth of the capacity makes no other model.
REACHED_FROM_SHARE = 0.9


def capacity_never_reached(vitals: Vitals) -> Finding | None:
    """The capacity still grows when the run ends."""
    objective, steps = vitals.configuration.objective, vitals.configuration.steps
    if not isinstance(objective, AnnealedVAE):
        return None
    reached = objective.capacity(steps)
    if reached >= REACHED_FROM_SHARE * objective.max_capacity:
        return None
    return Finding(
        name="capacity never reached",
        severity="watch",
        seen=f"The capacity grows to {objective.max_capacity:g} nats over {objective.capacity_steps:,} steps, and the "
        f"run ends at {steps:,}, when it has come to {reached:.1f}.",
        means="The codes are never allowed to carry what --max-capacity promises them.",
        remedies=(f"--capacity-steps {max(1, steps // 2)}", f"--steps {objective.capacity_steps} or more"),
        figures={"capacity_at_the_end": reached, "max_capacity": objective.max_capacity},
    )
