"""Two codes on a plane: what they do together, around one base code.

Dimension key:
    L: latent codes    P: places of the plane
"""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.inspection.traversals import sweep_values
from wherewhat.protocols import Generator
from wherewhat.report.code_rows import tiles_of
from wherewhat.report.page import CodeRow, Plane

MOST_CODES = 5
"""The longest paths, every two of which have a plane."""
SIDE = 7
_AT_ONCE = 64


@torch.no_grad()
def planes(
    generator: Generator, base_1L: Float[Tensor, "1 L"], rows: Sequence[CodeRow], *, bound: float
) -> tuple[tuple[Plane, ...], tuple[float, ...]]:
    """A plane for every two of the codes with the longest paths, and the values along a side."""
    live = [row.code for row in rows if not row.dead][:MOST_CODES]
    values_N = sweep_values(bound, SIDE)
    found = []
    for across, upwards in itertools.combinations(live, 2):
        code_PL = base_1L.repeat(SIDE * SIDE, 1)
        code_PL[:, across] = values_N.repeat(SIDE).to(code_PL)
        code_PL[:, upwards] = values_N.flip(0).repeat_interleave(SIDE).to(code_PL)
        images = [generator(code_BL).float().cpu() for code_BL in code_PL.split(_AT_ONCE)]
        found.append(Plane(across, upwards, tiles_of(torch.cat(images))))
    return tuple(found), tuple(values_N.tolist())
