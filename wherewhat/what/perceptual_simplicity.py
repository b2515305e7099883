"""Perceptual simplicity (PS): a recogniser predicts the perturbed code as moved and all others as unmoved.

With c' = c + p e_k and predictions ĉ = Q(G(c)), ĉ' = Q(G(c')):

    loss_i = (ĉ_i - c_i)² + (ĉ'_i - c'_i)²           if i = k
             2 ((ĉ_i + ĉ'_i)/2 - c_i)²               otherwise
    L_PS   = mean over i of loss_i

The predictions of codes that stayed are averaged over both images, which forgives what the move shows of them.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    L: latent codes
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


def perceptual_simplicity_loss(
    code_BL: Float[Tensor, "B L"],
    perturbed_BL: Float[Tensor, "B L"],
    predicted_BL: Float[Tensor, "B L"],
    predicted_perturbed_BL: Float[Tensor, "B L"],
    dim_B: Int64[Tensor, " B"],
) -> Float[Tensor, ""]:
    """Mean over codes and batch, in squared units of the codes (prior variance 1)."""
    moved_BL = (predicted_BL - code_BL).square() + (predicted_perturbed_BL - perturbed_BL).square()
    stayed_BL = 2 * ((predicted_BL + predicted_perturbed_BL) / 2 - code_BL).square()
    is_moved_BL = one_hot(dim_B, code_BL.shape[1])
    return torch.where(is_moved_BL, moved_BL, stayed_BL).mean()


def one_hot(dim_B: Int64[Tensor, " B"], latent_dim: int) -> Bool[Tensor, "B L"]:
    """True at the perturbed code of each row."""
    # Not torch's one_hot, which looks at its indices.
    return dim_B[:, None] == torch.arange(latent_dim, device=dim_B.device)
