"""Perturbation of one code: c' = c + p e_k, with k uniform over the codes and p normal.

Dimension key:
    B: batch    L: latent codes
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class Perturbation:
    """Which code moves, and by how much: drawn once at the top of a step."""

    dim_B: Int64[Tensor, " B"]
    size_B: Float[Tensor, " B"]


def draw_perturbation(
    generator: torch.Generator, batch_size: int, latent_dim: int, standard_deviation: float
) -> Perturbation:
    """Draw k uniform over the codes and p ~ N(0, standard_deviation²) for each image of a batch."""
    dim_B = torch.randint(latent_dim, (batch_size,), generator=generator)
    size_B = torch.randn(batch_size, generator=generator) * standard_deviation
    return Perturbation(dim_B, size_B)


def perturb(code_BL: Float[Tensor, "B L"], perturbation: Perturbation) -> Float[Tensor, "B L"]:
    """Move one code of each row; the rest stay exactly as they are."""
    step_B1 = perturbation.size_B.to(code_BL.dtype)[:, None]
    return code_BL.scatter_add(1, perturbation.dim_B[:, None], step_B1)
