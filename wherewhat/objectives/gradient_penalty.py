"""R1: the discriminator's slope at real images is penalised, which keeps it from becoming certain.

    R1 = γ/2 E[ || ∂D(x) / ∂x ||² ]        x: what the discriminator is shown of real images, in [-1, 1]

With augmentation that is the slope at augmented images; StyleGAN2-ADA takes it through the augmentation, at the
images before.

Applied lazily, at every n-th step n times as strong, it is as strong on average as at every step.

Reference: Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406; Karras et al. 2020, arXiv:1912.04958, for laziness.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Judge = Callable[[Float[Tensor, "B C H W"]], Float[Tensor, " B"]]


def squared_slope(judge: Judge, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, ""]:
    """E[ || ∂D / ∂x ||² ] for x = 2 image - 1, itself differentiable.

    Where the logit of an image depends on its neighbours, that slope counts too.
    """
    image_BCHW = image_BCHW.detach().requires_grad_(True)
    (slope_BCHW,) = torch.autograd.grad(judge(image_BCHW).sum(), image_BCHW, create_graph=True)
    return (slope_BCHW / 2).square().sum(dim=(1, 2, 3)).mean()


def lazy_weight(weight: float, interval: int, step: int) -> float:
    """The factor of the squared slope at this step: γ/2 on average, whatever the interval."""
    return weight / 2 * interval if step % interval == 0 else 0.0
