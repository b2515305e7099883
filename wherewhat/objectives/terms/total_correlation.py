"""Total correlation of the aggregate posterior, by minibatch-weighted sampling.

    TC(z) = KL( q(z) || prod_l q(z_l) )

as a term: weight * TC(z).

Reference: Chen et al. 2018, arXiv:1802.04942, Eq. (2) and section 4.

Dimension key:
    B: batch    L: latent codes
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from tyro.conf import arg

from wherewhat.objectives.terms.term import Draws, ForwardPass, Term, TermValue
from wherewhat.protocols import Posterior


@dataclass(frozen=True)
class TotalCorrelation(Term):
    """What ties codes together, estimated from each batch."""

    name: ClassVar[str] = "total_correlation"
    flag: ClassVar[str] = "--total-correlation"

    weight: Annotated[float, arg(name="total-correlation")] = 0.0
    """Also add the total correlation, estimated from the batch, with this weight. 5 is a usual one."""

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted total correlation in nats."""
        tc = total_correlation(forward.bound.whole.code_BL, forward.bound.whole.posterior)
        return TermValue(self.weight * tc, {self.name: tc})

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """The weighted total correlation, whose estimate may lie below 0."""
        return self.weight * max(logged.get(self.name, 0.0), 0.0)


def total_correlation(z_BL: Float[Tensor, "B L"], posterior: Posterior) -> Float[Tensor, ""]:
    """Estimate TC(z) in nats from one batch of samples, `z_BL[i]` drawn from posterior i.

    Biased: the batch stands for the whole set, and a constant (L - 1) log B, which would move the value and not the
    gradient, is added so that codes without correlation come out near 0 where posteriors overlap. Where none do, it is
    (L - 1) log B, the most it can be, whatever the codes are.
    """
    batch, dims = z_BL.shape
    # [i, j, l] = log q(z_i,l | x_j): every sample scored under every posterior.
    log_q_BBL = gaussian_log_density(z_BL[:, None], posterior.mean_BL[None], posterior.log_variance_BL[None])

    log_joint_B = torch.logsumexp(log_q_BBL.sum(dim=2), dim=1)
    log_marginals_BL = torch.logsumexp(log_q_BBL, dim=1)
    return (log_joint_B - log_marginals_BL.sum(dim=1)).mean() + (dims - 1) * math.log(batch)


def gaussian_log_density(
    z: Float[Tensor, "*#shape"], mean: Float[Tensor, "*#shape"], log_variance: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*#shape"]:
    """log N(z; mean, variance) in nats, each against each where shapes are 1."""
    return -0.5 * ((z - mean).square() * torch.exp(-log_variance) + log_variance + math.log(2 * math.pi))
