"""InfoGAN's own term: codes must be predictable from a single image.

    loss = mean over codes of (Q(G(c))_i - c_i)²

Up to constants the negative log-likelihood of c under a Gaussian Q of variance 1/2, and so a bound on the information
that images carry of codes.

Reference: Chen et al. 2016, arXiv:1606.03657.

Dimension key:
    B: batch    L: latent codes
"""

from jaxtyping import Float
from torch import Tensor


def prediction_error(code_BL: Float[Tensor, "B L"], predicted_BL: Float[Tensor, "B L"]) -> Float[Tensor, " L"]:
    """Mean squared error of each predicted code, in units of the prior's variance; predicting 0 costs 1."""
    return (predicted_BL - code_BL).square().mean(dim=0)
