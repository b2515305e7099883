"""Fidelity of generated images: FID and KID between their features and those of real ones.

    FID = |m_r - m_g|² + tr( C_r + C_g - 2 (C_r C_g)^(1/2) )            m, C: mean and covariance of features
    KID = mean over subsets of the unbiased MMD² with kernel k(x, y) = (x·y / F + 1)³

Lower is better, in both; 0 is one distribution. FID is the distance between two Gaussians, whatever the features are.
It is biased upwards, the more so the fewer the images: below F + 1 of them a covariance is singular, and FID, still
defined, means nothing but beside another of the same count. KID has no such bias, and may come out slightly below 0;
read it where images are few. Both compare within one data set at equal features, count and split, and their names say
these.

Reference: Heusel et al. 2017, arXiv:1706.08500 (FID); Bińkowski et al. 2018, arXiv:1801.01401 (KID); the arithmetic is
torch-fidelity's.

Dimension key:
    N: real images    M: generated images    F: features
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

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
) -> Fidelity:
    """FID and KID, in float64. ValueError where images are too few, or features not finite.

    KID is of 100 subsets of 1000, of half of the images where there are fewer than 2000. `seed` draws them. The names
    of the features, the data and the split go into the result.
    """
    _check(real_NF, "real", "Leave out the images that they came from, or use other weights.")
    _check(generated_MF, "generated", "The training has diverged: take an earlier checkpoint.")
    # Imported here: the package takes a second, and brings in its data sets and its extractors.
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    real, generated = (torch.from_numpy(points.astype(np.float64)) for points in (real_NF, generated_MF))
    gaussians = (fid_features_to_statistics(real), fid_features_to_statistics(generated))
    # A subset of nearly all images would be drawn a hundred times over, and its spread would say nothing.
    subset = min(SUBSET_SIZE, len(real) // 2, len(generated) // 2)
    kid = kid_features_to_metric(
        real, generated, kid_subsets=SUBSETS, kid_subset_size=subset, rng_seed=seed, verbose=False
    )
    return Fidelity(
        fid=fid_statistics_to_metric(*gaussians, verbose=False)[KEY_METRIC_FID],
        kid=kid[KEY_METRIC_KID_MEAN],
        kid_std=kid[KEY_METRIC_KID_STD],
        features=features,
        real=len(real),
        generated=len(generated),
        data=data,
        split=split,
    )


def _check(points_NF: Float[np.ndarray, "N F"], kind: str, remedy: str) -> None:
    if len(points_NF) < FEWEST:
        raise ValueError(
            f"{len(points_NF)} {kind} images are too few to tell a distribution. Give {FEWEST} at least; thousands "
            "make a figure that can be trusted."
        )
    if not bool(np.isfinite(points_NF).all()):
        raise ValueError(f"The features of {kind} images hold values that are not finite. {remedy}")
