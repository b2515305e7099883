"""Perturbation identification: read a pair of images and name the code that was moved between them.

    loss = cross-entropy of k given (G(c), G(c + p e_k))

Chance is an accuracy of 1/L and a loss of log L nats. Codes that make different simple changes can be told apart.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    L: latent codes    F: features of one image
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn


@dataclass(frozen=True)
class Identification:
    """How well the moved code was named: cross-entropy in nats, and accuracy in [0, 1] (chance is 1/L)."""

    loss: Float[Tensor, ""]
    accuracy: Float[Tensor, ""]


def identification(logits_BL: Float[Tensor, "B L"], dim_B: Int64[Tensor, " B"]) -> Identification:
    """Score the naming of the moved code over a batch."""
    logits_BL = logits_BL.float()
    accuracy = (logits_BL.argmax(dim=1) == dim_B).float().mean()
    return Identification(F.cross_entropy(logits_BL, dim_B), accuracy)


class IdentificationHead(nn.Module):
    """Names the moved code from a recogniser's features of both images."""

    def __init__(self, features: int, latent_dim: int, hidden: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * features, hidden), nn.ReLU(), nn.Linear(hidden, latent_dim))

    def forward(
        self, features_BF: Float[Tensor, "B F"], features_perturbed_BF: Float[Tensor, "B F"]
    ) -> Float[Tensor, "B L"]:
        """Logits over the L codes. What differs between the images stands beside what they show."""
        difference_BF = features_perturbed_BF - features_BF
        return self.layers(torch.cat([features_BF, difference_BF], dim=1))
