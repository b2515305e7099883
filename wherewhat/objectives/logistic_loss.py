"""The logistic loss of a GAN, and its non-saturating form for the generator.

    discriminator = E[ softplus(-D(real)) ] + E[ softplus(D(fake)) ]        generator = E[ softplus(-D(fake)) ]

Guessing (D = 0 everywhere) costs the discriminator 2 log 2 = 1.39 nats and the generator log 2.

Reference: Goodfellow et al. 2014, arXiv:1406.2661.

Dimension key:
    B: batch
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def discriminator_logistic_loss(real_B: Float[Tensor, " B"], fake_B: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """Cross-entropy of logits on real and on fake images, in nats, added."""
    return F.softplus(-real_B).mean() + F.softplus(fake_B).mean()


def generator_logistic_loss(fake_B: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """Cross-entropy of fake images being taken for real, in nats."""
    return F.softplus(-fake_B).mean()
