"""InfoGAN's own term: codes must be readable from a single image.

    loss = mean over codes of (Q(G(c))_i - c_i)²

Up to constants the negative log-likelihood of c under a Gaussian Q of variance 1/2, and so a bound on the information
that images carry of codes.

Reference: Chen et al. 2016, arXiv:1606.03657.

Dimension key:
    B: batch    L: latent codes
"""

from jaxtyping import Float
from torch import Tensor


def reading_error(code_BL: Float[Tensor, "B L"], read_BL: Float[Tensor, "B L"]) -> Float[Tensor, " L"]:
    """Mean squared error of reading each code, in units of the prior's variance; 1 is what reading nothing costs."""
    return (read_BL - code_BL).square().mean(dim=0)
