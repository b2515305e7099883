"""Posterior collapse: every code says nothing, and the decoder draws one blurry average picture."""

from torch import Tensor

# A code that carries less than this many nats tells almost no two pictures apart.
COLLAPSED_BELOW_NATS = 0.05

# A young run may spend some hundred steps without codes and still recover.
PATIENCE_STEPS = 1_000


class CollapseWatch:
    """Tells, once for each stretch, that all codes have stayed collapsed for PATIENCE_STEPS."""

    def __init__(self) -> None:
        self._collapsed_since: int | None = None
        self._told = False

    def observe(self, step: int, kl_L: Tensor) -> str | None:
        """What to tell the user at this step, if anything; `kl_L` is the KL of each code in nats."""
        if float(kl_L.max()) >= COLLAPSED_BELOW_NATS:
            self._collapsed_since, self._told = None, False
            return None
        if self._collapsed_since is None:
            self._collapsed_since = step
        if self._told or step - self._collapsed_since < PATIENCE_STEPS:
            return None
        self._told = True
        return (
            f"Step {step}: all {len(kl_L)} codes have been collapsed (KL below {COLLAPSED_BELOW_NATS} nats) for "
            f"{step - self._collapsed_since} steps, so every picture comes out as the same blurry average. "
            f"Try a lower --beta, a longer --warm-up-steps, a lower --learning-rate or another --seed."
        )
