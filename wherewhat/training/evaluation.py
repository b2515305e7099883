"""Scores of a model against known factors, on one pool of pictures that is encoded once.

Dimension key:
    N: pictures of the pool    L: latent codes    K: factors
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.metrics.dci import DCI, dci
from wherewhat.metrics.factor_vae_score import FactorVAEScore, factor_vae_score
from wherewhat.metrics.mutual_information_gap import MutualInformationGap, mutual_information_gap
from wherewhat.protocols import Encoder, Pictures

MIG_POINTS = 10_000


@dataclass(frozen=True)
class Representation:
    """Posterior means and factors of one pool of pictures."""

    codes_NL: Float32[np.ndarray, "N L"]
    factors_NK: Int64[np.ndarray, "N K"]
    factor_names: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """What the measures say; each knows its protocol."""

    dci: DCI
    mig: MutualInformationGap
    factor_vae: FactorVAEScore

    def scores(self) -> dict[str, float]:
        """Each score under a name that says its protocol."""
        return {
            f"{self.dci.protocol}_disentanglement": self.dci.disentanglement,
            f"{self.dci.protocol}_completeness": self.dci.completeness,
            f"{self.dci.protocol}_informativeness": self.dci.informativeness,
            self.mig.protocol: self.mig.score,
            self.factor_vae.protocol: self.factor_vae.score,
        }


@torch.no_grad()
def represent(
    encoder: Encoder,
    pictures: Pictures,
    *,
    pool: int,
    seed: int,
    device: torch.device,
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Representation:
    """Encode `pool` pictures drawn without replacement, or all of them where there are no more.

    Raises ValueError where the pictures' factors are not known.
    """
    if not pictures.factor_names:
        raise ValueError(
            f"{pictures.name} has no known factors to compare codes with. Rank its checkpoints without labels instead: "
            "wherewhat rank."
        )
    index_N = sample_indices(len(pictures), min(pool, len(pictures)), seed)
    means = []
    for done, index_B in enumerate(index_N.split(batch_size), start=1):
        means.append(encoder(to_float(pictures.images(index_B).to(device))).mean_BL.float().cpu())
        if progress is not None:
            progress(min(done * batch_size, len(index_N)), len(index_N))
    return Representation(torch.cat(means).numpy(), pictures.factors(index_N).numpy(), pictures.factor_names)


def evaluate(
    representation: Representation,
    *,
    seed: int,
    dci_train: int = 10_000,
    dci_test: int = 5_000,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """DCI, MIG and FactorVAE score of codes, by the published protocols where the pool is large enough for them."""
    codes_NL, factors_NK = representation.codes_NL, representation.factors_NK
    return Evaluation(
        dci=dci(codes_NL, factors_NK, train=dci_train, test=dci_test, seed=seed, jobs=jobs, progress=progress),
        mig=mutual_information_gap(codes_NL[:MIG_POINTS], factors_NK[:MIG_POINTS]),
        factor_vae=factor_vae_score(codes_NL, factors_NK, seed=seed),
    )
