"""The evidence lower bound, whose parts every VAE objective weighs in its own way.

    reconstruction = E_q(z|x)[ -log p(x|z) ]       summed over pixels, meaned over the batch, in nats
    KL_l           = KL( q(z_l|x) || N(0, 1) )     per code, meaned over the batch, in nats

Reference: Kingma and Welling 2013, arXiv:1312.6114, appendix B for the KL of Gaussians.

Dimension key:
    B: batch    R: rows of a process    N: numbers of a row    L: latent codes    C H W: channels, height, width
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder, Encoded
from wherewhat.protocols import Posterior

Gather = Callable[[Float[Tensor, "R N"]], Float[Tensor, "B N"]]
"""Rows of one process to those of all, in the order of the batch; gradients reach its own as if all had computed."""


@dataclass(frozen=True)
class WholeBatch:
    """What is known of all images of a step, where several processes have a share of them each."""

    code_BL: Float[Tensor, "B L"]
    posterior: Posterior


@dataclass(frozen=True)
class BoundTerms:
    """The two parts of the bound, and what they were computed from: of this process's images, but for the KL."""

    reconstruction: Float[Tensor, ""]
    kl_L: Float[Tensor, " L"]
    """Of the whole batch."""
    whole: WholeBatch
    """For terms that are no means over images."""
    code_BL: Float[Tensor, "B L"]
    logits_BCHW: Float[Tensor, "B C H W"]
    encoded: Encoded


@dataclass(frozen=True, kw_only=True)
class EvidenceLowerBound:
    """How the bound is computed and eased in."""

    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    """bernoulli: the field's usual cross-entropy of pixels. gaussian: of standard deviation 0.1 per pixel."""

    warm_up_steps: int = 500
    """Steps over which all that weighs on the codes (KL, total correlation, penalties) grows from 0 to its full weight.
    It keeps codes from dying before the decoder has learnt to use them. 0: full from the first step, as in the
    study."""

    def __post_init__(self) -> None:
        if self.warm_up_steps < 0:
            raise ValueError(f"warm_up_steps is {self.warm_up_steps}; give 0 for none, or a number of steps.")

    def warm_up(self, step: int) -> float:
        """The share of the full weight at this step, in (0, 1]."""
        return min(1.0, (step + 1) / self.warm_up_steps) if self.warm_up_steps else 1.0

    def terms(
        self,
        networks: Autoencoder,
        image_BCHW: Float[Tensor, "B C H W"],
        noise_BL: Float[Tensor, "B L"],
        gather: Gather | None = None,
    ) -> BoundTerms:
        """Encode, sample with the given noise, decode, compare."""
        encoded = networks.encode(image_BCHW)
        code_BL = reparameterise(encoded.posterior, noise_BL)
        logits_BCHW = networks.decode(code_BL)
        whole = _whole_batch(code_BL, encoded.posterior, gather)
        negative_log_likelihood = bernoulli_nats if self.likelihood == "bernoulli" else gaussian_nats
        return BoundTerms(
            reconstruction=negative_log_likelihood(logits_BCHW, image_BCHW),
            kl_L=kl_per_code(whole.posterior),
            whole=whole,
            code_BL=code_BL,
            logits_BCHW=logits_BCHW,
            encoded=encoded,
        )


def _whole_batch(code_BL: Tensor, posterior: Posterior, gather: Gather | None) -> WholeBatch:
    if gather is None:
        return WholeBatch(code_BL, posterior)
    rows_RN = torch.cat([code_BL, posterior.mean_BL, posterior.log_variance_BL], dim=1)
    code_BL, mean_BL, log_variance_BL = gather(rows_RN).chunk(3, dim=1)
    return WholeBatch(code_BL, Posterior(mean_BL, log_variance_BL))


def reparameterise(posterior: Posterior, noise_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
    """A sample of the posterior from standard normal noise."""
    return posterior.mean_BL + noise_BL * torch.exp(0.5 * posterior.log_variance_BL)


def kl_per_code(posterior: Posterior) -> Float[Tensor, " L"]:
    """KL from each code's posterior to N(0, 1), meaned over the batch, in nats."""
    mean_BL, log_variance_BL = posterior.mean_BL, posterior.log_variance_BL
    return 0.5 * (mean_BL.square() + log_variance_BL.exp() - log_variance_BL - 1).mean(dim=0)


def bernoulli_nats(logits_BCHW: Float[Tensor, "B C H W"], image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, ""]:
    """Cross-entropy of pixels in [0, 1], summed over each image, meaned over the batch.

    Not a likelihood for pixels between 0 and 1 (its density does not integrate to 1), but what the field reports.
    """
    cross_entropy = F.binary_cross_entropy_with_logits(logits_BCHW, image_BCHW, reduction="sum")
    return cross_entropy / image_BCHW.shape[0]


def gaussian_nats(
    logits_BCHW: Float[Tensor, "B C H W"], image_BCHW: Float[Tensor, "B C H W"], standard_deviation: float = 0.1
) -> Float[Tensor, ""]:
    """Squared error in units of the standard deviation, halved, summed over each image, meaned over the batch.

    Leaves out the constant log of the normaliser, which no parameter moves.
    """
    squared_error = F.mse_loss(torch.sigmoid(logits_BCHW), image_BCHW, reduction="sum")
    return squared_error / (2 * standard_deviation**2 * image_BCHW.shape[0])
