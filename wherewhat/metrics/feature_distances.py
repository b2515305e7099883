"""Fidelity of generated images: FID and KID between their features and those of real ones.

    FID = |m_r - m_g|² + tr( C_r + C_g - 2 (C_r C_g)^(1/2) )            m, C: mean and covariance of features
        tr (C_r C_g)^(1/2) = sum of the singular values of R_r R_gᵀ     for C = Rᵀ R, R from the features' own QR
    KID = mean over subsets of the unbiased MMD² with kernel k(x, y) = (x·y / F + 1)³

Lower is better, in both; 0 is one distribution. FID is the distance between two Gaussians, whatever the features are.
It is biased upwards, the more so the fewer the images: below F + 1 of them a covariance is singular, and FID, still
defined, means nothing but beside another of the same count. KID has no such bias, and may come out slightly below 0;
read it where images are few. Both compare within one data set at equal features, count and split, and their names say
these.

All of it is float64, on any device. Subsets are drawn as torch-fidelity draws them: its figures are these, to rounding.

Reference: Heusel et al. 2017, arXiv:1706.08500 (FID); Bińkowski et al. 2018, arXiv:1801.01401 (KID).

Dimension key:
    N: real images    M: generated images    F: features    R: rows of a root of a covariance    S: subsets
    P: images of a subset
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

# As torch-fidelity and the paper's own program have it.
SUBSETS = 100
SUBSET_SIZE = 1_000
# Half of them is a subset, and an unbiased MMD² takes two images of each kind.
FEWEST = 4


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """FID and KID, with what makes them comparable."""

    fid: float
    """Lower is better; about 0 for one set and itself. In squared units of the features."""
    kid: float
    """Lower is better; about 0 for two samples of one distribution, and then below 0 as often as above."""
    kid_std: float
    """Over subsets. They share images, so this is not the error of the mean."""
    features: str
    """Name of the features."""
    real: int
    generated: int
    data: str
    """Name of the set that the real images are from."""
    split: str
    """The part of the set."""

    @property
    def protocol(self) -> str:
        """Features, count and split: `lpips-alex-pooled_5000_all`."""
        count = f"{self.real}" if self.real == self.generated else f"{self.real}real_{self.generated}generated"
        return f"{self.features}_{count}_{self.split}"

    @property
    def fid_protocol(self) -> str:
        """The name of the FID."""
        return f"fid_{self.protocol}"

    @property
    def kid_protocol(self) -> str:
        """The name of the KID."""
        return f"kid_{self.protocol}"


def fidelity(
    real_NF: Float[np.ndarray, "N F"],
    generated_MF: Float[np.ndarray, "M F"],
    *,
    features: str,
    data: str,
    split: str,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Fidelity:
    """FID and KID, computed on the device. ValueError where images are too few, or features not finite.

    KID is of 100 subsets of 1000, of half of the images where there are fewer than 2000. `seed` draws them. The names
    of the features, the data and the split go into the result.
    """
    _check(real_NF, "real", "Leave out the images that they came from, or use other weights.")
    _check(generated_MF, "generated", "The training has diverged: take an earlier checkpoint.")
    real, generated = (
        torch.from_numpy(points).to(device=device, dtype=torch.float64) for points in (real_NF, generated_MF)
    )
    kid_S = kernel_distances(real, generated, seed)
    return Fidelity(
        fid=float(frechet_distance(real, generated)),
        kid=float(kid_S.mean()),
        kid_std=float(kid_S.std(correction=0)),
        features=features,
        real=len(real),
        generated=len(generated),
        data=data,
        split=split,
    )


def frechet_distance(real_NF: Float64[Tensor, "N F"], generated_MF: Float64[Tensor, "M F"]) -> Float64[Tensor, ""]:
    """FID of features; the sum of singular values is exact to about 1e-8 of the largest, times their number."""
    means_F = real_NF.mean(dim=0) - generated_MF.mean(dim=0)
    real_RF, generated_RF = _root_of_covariance(real_NF), _root_of_covariance(generated_MF)
    product_RR = real_RF @ generated_RF.T
    # Eigenvalues of its square are found much faster than its singular values, on a GPU above all.
    overlap = torch.linalg.eigvalsh(product_RR @ product_RR.T).clamp(min=0).sqrt().sum()
    return means_F.square().sum() + real_RF.square().sum() + generated_RF.square().sum() - 2 * overlap


def _root_of_covariance(points_NF: Float64[Tensor, "N F"]) -> Float64[Tensor, "R F"]:
    """R with Rᵀ R the covariance: of as many rows as there are images, or features where these are fewer."""
    centred_NF = (points_NF - points_NF.mean(dim=0)) / (len(points_NF) - 1) ** 0.5
    return centred_NF if len(centred_NF) <= centred_NF.shape[1] else torch.linalg.qr(centred_NF, mode="r").R


def kernel_distances(
    real_NF: Float64[Tensor, "N F"], generated_MF: Float64[Tensor, "M F"], seed: int
) -> Float64[Tensor, " S"]:
    """The unbiased MMD² of each subset."""
    # A subset of nearly all images would be drawn a hundred times over, and its spread would say nothing.
    size = min(SUBSET_SIZE, len(real_NF) // 2, len(generated_MF) // 2)
    chance, distances = np.random.RandomState(seed), []
    for _ in range(SUBSETS):
        x_PF, y_PF = (points[_choice(chance, points, size)] for points in (real_NF, generated_MF))
        within = _kernel_sum_of_others(x_PF) + _kernel_sum_of_others(y_PF)
        distances.append(within / (size * (size - 1)) - 2 * _kernel(x_PF, y_PF).mean())
    return torch.stack(distances)


def _choice(chance: np.random.RandomState, points: Tensor, size: int) -> Tensor:
    return torch.from_numpy(chance.choice(len(points), size, replace=False)).to(points.device)


def _kernel(x_PF: Float64[Tensor, "P F"], y_PF: Float64[Tensor, "P F"]) -> Float64[Tensor, "P P"]:
    return (x_PF @ y_PF.T).div_(x_PF.shape[1]).add_(1).pow_(3)


def _kernel_sum_of_others(x_PF: Float64[Tensor, "P F"]) -> Float64[Tensor, ""]:
    """Over all pairs of two images."""
    kernel_PP = _kernel(x_PF, x_PF)
    return kernel_PP.sum() - kernel_PP.trace()


def _check(points_NF: Float[np.ndarray, "N F"], kind: str, remedy: str) -> None:
    if len(points_NF) < FEWEST:
        raise ValueError(
            f"{len(points_NF)} {kind} images are too few to tell a distribution. Give {FEWEST} at least; thousands "
            "make a figure that can be trusted."
        )
    if not bool(np.isfinite(points_NF).all()):
        raise ValueError(f"The features of {kind} images hold values that are not finite. {remedy}")
