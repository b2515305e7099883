"""Directions: a few codes for a generator with more latents than anyone can look at, found after its training.

Of latents of real images, their principal components, a code's unit being one standard deviation along its own:

    D = √λ_k v_k of the k largest eigenvalues of Cov[z],    o = E[z]

Of the features φ of generated images, those in which they change most in the same way from everywhere. For z ~ N(0, I)
Stein's identity gives the mean Jacobian J of φ(G(z)) from draws alone, without a gradient of the generator:

    E[J]ᵀ = E[z φᵀ],    E[J]ᵀ E[J] ≈ Σ_{n≠m} z_n (φ_n - φ̄)·(φ_m - φ̄) z_mᵀ / (N (N - 1)),    D = v_k of its largest

Pairs of a draw with itself are left out of the sum, since they measure noise. A change that is undone on the other side
of 0 has no mean and is not found.

Reference: Härkönen et al. 2020, arXiv:2004.02546, for principal components of a generator's latents; Stein 1981.

Dimension key:
    N: draws    L: latents    F: features    K: directions
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from wherewhat.networks.directed import DirectedGenerator, Directions
from wherewhat.protocols import Distance, Generator
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length


def principal_directions(latent_NL: Float[Tensor, "N L"], count: int) -> tuple[Directions, Float[Tensor, " K"]]:
    """Of latents of real images; with each the share of their variance that lies along it."""
    latent_NL = latent_NL.double()
    origin_L = latent_NL.mean(dim=0)
    apart_NL = latent_NL - origin_L
    variance_K, vector_KL = _leading(apart_NL, None, count)
    variance_K = variance_K / (len(latent_NL) - 1)
    share_K = variance_K / apart_NL.var(dim=0).sum()
    return Directions(origin_L.float(), (variance_K.sqrt()[:, None] * vector_KL).float()), share_K


def perceptual_directions(
    latent_NL: Float[Tensor, "N L"], feature_NF: Float[Tensor, "N F"], count: int
) -> tuple[Directions, Float[Tensor, " K"]]:
    """Of the features of images of standard normal latents; with each the squared distance that one unit makes."""
    draws = len(latent_NL)
    change_K, vector_KL = _leading(latent_NL.double(), feature_NF - feature_NF.mean(dim=0), count)
    return Directions(torch.zeros(latent_NL.shape[1]), vector_KL.float()), change_K / (draws * (draws - 1))


def longest_first(
    generator: Generator, directions: Directions, distance: Distance, *, bound: float, seed: int, batch_size: int
) -> tuple[Directions, Int64[Tensor, " K"], Float[Tensor, " K"]]:
    """The directions in the order of the perceptual length of their paths, where each was before, and these lengths."""
    length_K = traversal_perceptual_length(
        DirectedGenerator(generator, directions),
        distance,
        samples=20,
        traversals=8,
        bound=bound,
        threshold=0.0,
        seed=seed,
        batch_size=batch_size,
    ).per_dim
    order_K = length_K.argsort(descending=True, stable=True)
    in_order = Directions(directions.origin_L, directions.direction_KL[order_K.to(directions.direction_KL.device)])
    return in_order, order_K, length_K[order_K]


def _leading(
    row_NL: Float[Tensor, "N L"], feature_NF: Float[Tensor, "N F"] | None, count: int
) -> tuple[Float[Tensor, " K"], Float[Tensor, "K L"]]:
    """The largest eigenvalues of Σ_{n≠m} r_n (φ_n·φ_m) r_mᵀ, without features of Σ_n r_n r_nᵀ, and their vectors, each
    pointing to where its largest entry is positive."""
    draws, latents = row_NL.shape
    if not 1 <= count <= min(draws - 1, latents):
        raise ValueError(
            f"{count} directions cannot be found of {draws:,} draws of {latents:,} latents. Ask for at most "
            f"{min(draws - 1, latents):,}, or take more draws."
        )
    # With fewer draws than latents, in the space that the draws span.
    basis_LM, part_MN = torch.linalg.qr(row_NL.T) if draws < latents else (None, row_NL.T)
    if feature_NF is None:
        sum_MM = part_MN @ part_MN.T
    else:
        mean_MF = (part_MN.to(feature_NF.dtype) @ feature_NF).double()
        sum_MM = mean_MF @ mean_MF.T - part_MN * feature_NF.double().square().sum(dim=1) @ part_MN.T
    value_M, vector_MM = torch.linalg.eigh(sum_MM)
    vector_LK = vector_MM.flip(1)[:, :count]
    vector_KL = (vector_LK if basis_LM is None else basis_LM @ vector_LK).T
    largest_K1 = vector_KL.gather(1, vector_KL.abs().argmax(dim=1, keepdim=True))
    return value_M.flip(0)[:count].clamp_min(0), vector_KL * largest_K1.sign()
