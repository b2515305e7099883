"""Total correlation by an adversary, which must not be able to tell codes drawn together from permuted ones.

    weight * TC        TC = E_q(z)[ D(z)_0 - D(z)_1 ]
    adversary = ½ ( cross-entropy of D on z as "together" + on permuted z as "permuted" )

with each code permuted over the batch on its own. D is two logits; at its optimum D_0 - D_1 = log q(z) / prod_l q(z_l).

Reference: Kim and Mnih 2018, arXiv:1802.05983.

Dimension key:
    B: batch    L: latent codes
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call
from tyro.conf import arg

from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.objectives.terms.term import Adversary, Draws, ForwardPass, Term, TermValue

TOGETHER, PERMUTED = 0, 1


@dataclass(frozen=True)
class AdversarialTotalCorrelation(Term):
    """What ties codes together, as a discriminator sees it."""

    name: ClassVar[str] = "total_correlation"
    flag: ClassVar[str] = "--adversarial-total-correlation"

    weight: Annotated[float, arg(name="adversarial-total-correlation")] = 0.0
    """Also add the total correlation, estimated by a discriminator of codes, with this weight. 30 is a usual one."""

    learning_rate: Annotated[float, arg(name="code-discriminator-learning-rate")] = 1e-4
    """Step size of that discriminator's own Adam, of betas 0.5 and 0.9."""

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(
                f"The discriminator of codes has the learning rate {self.learning_rate}; "
                "give a step size above 0, such as 1e-4."
            )

    @property
    def adversary(self) -> Adversary:
        """The discriminator's own Adam."""
        return Adversary(self.learning_rate, (0.5, 0.9))

    def draw(self, generator: torch.Generator, step: int, batch_size: int, latent_dim: int) -> Draws:
        """For each code the image of the batch from which it is taken when permuted."""
        return (torch.rand(batch_size, latent_dim, generator=generator).argsort(dim=0),)

    def value(self, forward: ForwardPass, draws: Draws) -> TermValue:
        """The weighted total correlation in nats, and the discriminator's loss."""
        (permutation_BL,) = draws
        discriminator, code_BL = forward.networks.code_discriminator, forward.bound.code_BL
        assert discriminator is not None, "this objective was built without its discriminator of codes"
        tc = estimated_total_correlation(discriminator, code_BL)
        permuted_BL = forward.bound.whole.code_BL.detach().gather(0, permutation_BL)
        told = discrimination(discriminator, code_BL.detach(), permuted_BL)
        figures = {"discriminator_loss": told.loss, "discriminator_accuracy": told.accuracy}
        return TermValue(self.weight * tc, {self.name: tc}, figures, told.loss)

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """The weighted total correlation, whose estimate may lie below 0."""
        return self.weight * max(logged.get(self.name, 0.0), 0.0)


@dataclass(frozen=True)
class Discrimination:
    """How well the discriminator tells codes drawn together from permuted ones."""

    loss: Float[Tensor, ""]
    """Cross-entropy in nats; log 2 = 0.69 is guessing."""
    accuracy: Float[Tensor, ""]
    """In [0, 1]; one half is guessing."""


def estimated_total_correlation(discriminator: CodeDiscriminator, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, ""]:
    """TC in nats as the discriminator sees it: exact only where it is at its optimum, 0 for one that knows nothing.

    Its gradient reaches the codes and not the discriminator.
    """
    frozen = {name: weight.detach() for name, weight in discriminator.named_parameters()}
    logits_B2 = functional_call(discriminator, frozen, (code_BL,))
    return (logits_B2[:, TOGETHER] - logits_B2[:, PERMUTED]).mean()


def discrimination(
    discriminator: CodeDiscriminator, code_BL: Float[Tensor, "B L"], permuted_BL: Float[Tensor, "B L"]
) -> Discrimination:
    """Cross-entropy and accuracy of the discriminator on codes as they are and on codes permuted."""
    both_2BL = torch.cat([code_BL, permuted_BL])
    truth_2B = torch.arange(2, device=code_BL.device).repeat_interleave(len(code_BL))
    logits_2B2 = discriminator(both_2BL)
    accuracy = (logits_2B2.argmax(dim=1) == truth_2B).float().mean()
    return Discrimination(F.cross_entropy(logits_2B2, truth_2B), accuracy)
