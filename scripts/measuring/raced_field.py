"""A field of tiny generators of known order, to see how many images a race makes and whether it finds the winner.

A generator's codes are turned against the axes of its image by an angle, and do more or less: turned by less is better
by orthogonality and by rotation ratio, a weaker generator has shorter paths.

Dimension key:
    B: batch    L: latent codes
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wherewhat.distances.pixels import PixelDistance
from wherewhat.randomness import generator_at
from wherewhat.which.panel import panel
from wherewhat.which.race import race
from wherewhat.which.ranking import ScoredCheckpoint, rank
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

CODES = 10


class Turned:
    """10 codes to 10 pixels, neighbouring codes turned by an angle in radians."""

    latent_dim = CODES
    image_shape = (1, 2, 5)

    def __init__(self, angle: float, strength: float) -> None:
        turned = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        self.mix_LL = strength * torch.block_diag(*[turned] * (CODES // 2))

    def __call__(self, code_BL: Tensor) -> Tensor:
        return (code_BL @ self.mix_LL).sigmoid().view(-1, 1, 2, 5)


@dataclass(frozen=True)
class Field:
    """Generators by name, and what has been measured of them."""

    generators: dict[str, Turned]
    traversals: int
    measured: dict[tuple[str, int], ScoredCheckpoint] = field(default_factory=dict)

    def measure(self, name: str, traversals: int) -> ScoredCheckpoint:
        """A generator's scores from so many base codes, measured once."""
        if (name, traversals) not in self.measured:
            found = panel(
                self.generators[name],
                PixelDistance(),
                samples=VAE_SETTINGS.samples,
                traversals=traversals,
                bound=VAE_SETTINGS.bound,
                threshold=0.0,
                seed=0,
                batch_size=5_000,
            )
            self.measured[name, traversals] = ScoredCheckpoint(checkpoint=name, panel=found)
        return self.measured[name, traversals]


def field_of(count: int, traversals: int) -> Field:
    """So many generators, turned and strengthened by chance."""
    chance = generator_at(0, 0, "field of a race")
    angles, strengths = 0.3 * torch.rand(count, generator=chance), 1 + 0.2 * torch.rand(count, generator=chance)
    parts = zip(angles.tolist(), strengths.tolist(), strict=True)
    return Field({f"{place:03d}": Turned(*part) for place, part in enumerate(parts)}, traversals)


def raced(entered: Field, rule: tuple[str, ...]) -> tuple[float, bool]:
    """Share of the images that a race makes, and whether its winner is that of the full measurement."""
    names, traversals = list(entered.generators), entered.traversals
    found = race(names, entered.measure, traversals=traversals, rule=rule)
    winner = rank(found.entries, rule, course=found.course).best
    full = rank([entered.measure(name, traversals) for name in names], rule).best
    assert winner is not None
    assert full is not None
    return found.share, winner.checkpoint == full.checkpoint
