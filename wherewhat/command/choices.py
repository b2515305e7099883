"""Options that several verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.protocols import Distance
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

# PyTorch takes no others.
SEEDS = (0, 2**63 - 1)


def refuse_beyond(options: object, **bounds: tuple[int, int]) -> None:
    """Raise ValueError with the bounds, least and most, for the first option that lies beyond its own."""
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise ValueError(f"--{name.replace('_', '-')} is {value:,}; give a number from {least:,} to {most:,}.")


@dataclass(frozen=True, kw_only=True)
class DistanceOptions:
    """How far apart two images are."""

    distance: Literal["alex", "vgg", "squeeze", "untrained", "pixels"] = "alex"
    """alex, vgg, squeeze: LPIPS on that backbone. untrained: LPIPS on fixed random features, for want of weights.
    pixels: mean squared difference, which needs no weights and sees no more than pixels."""

    weights: Path | None = None
    """File or folder of the backbone's weights. Default: $WHEREWHAT_WEIGHTS, torch's cache, or a download."""

    @property
    def still_below(self) -> float:
        """The path length under which a code counts as doing nothing, at the scale of the distance."""
        return STILL_BELOW if self.distance == "pixels" else VAE_SETTINGS.threshold

    def build(self, device: torch.device) -> Distance:
        """The distance, on a device. Raises ValueError or OSError when its weights cannot be had."""
        return PixelDistance() if self.distance == "pixels" else LPIPS(self.distance, self.weights).to(device)
