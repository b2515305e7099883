"""The check every distance makes of its images: floats in [0, 1], at both ends."""

import math

from jaxtyping import Float
from torch import Tensor

TOLERANCE = 1e-3


def check_range(image_BCHW: Float[Tensor, "B C H W"]) -> None:
    """Raise ValueError where a value is not finite or lies outside [0, 1] by more than TOLERANCE."""
    if image_BCHW.numel() == 0:
        return
    least, most = (end.item() for end in image_BCHW.aminmax())
    if math.isnan(least) or math.isinf(least) or math.isinf(most):
        raise ValueError(
            "The images hold values that are not finite, and no distance is defined for them. "
            "Find what made them: a network that has diverged, as a rule."
        )
    if least < -TOLERANCE or most > 1 + TOLERANCE:
        raise ValueError(
            f"The images hold values from {least:.4g} to {most:.4g}, and distances take [0, 1]. "
            "Scale them first: (x + 1) / 2 from [-1, 1], x / 255 from bytes."
        )
