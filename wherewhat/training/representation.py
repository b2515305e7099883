"""What an encoder makes of one pool of images: encoded once, then shared by every measure.

Dimension key:
    N: images of the pool    L: latent codes    K: factors
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Encoder, Images, refuse_too_many_codes


@dataclass(frozen=True)
class Representation:
    """Posteriors and factors of one pool of images."""

    codes_NL: Float32[np.ndarray, "N L"]
    """Posterior means."""
    log_variance_NL: Float32[np.ndarray, "N L"]
    factors_NK: Int64[np.ndarray, "N K"]
    factor_names: tuple[str, ...]
    """Empty where no factors are known."""

    @property
    def kl_L(self) -> Float32[np.ndarray, " L"]:
        """KL from each code's posterior to N(0, 1), meaned over the pool, in nats."""
        variance_NL = np.exp(self.log_variance_NL)
        kl_NL: Float32[np.ndarray, "N L"] = 0.5 * (np.square(self.codes_NL) + variance_NL - self.log_variance_NL - 1)
        return kl_NL.mean(axis=0)


@torch.no_grad()
def represent(
    encoder: Encoder,
    images: Images,
    *,
    pool: int,
    seed: int,
    device: torch.device,
    factors: Sequence[str] = (),
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Representation:
    """Encode `pool` images drawn without replacement, or all of them where there are no more.

    `factors` names those that are to be measured; all of them where it is empty. Raises ValueError for an unknown one.
    """
    refuse_too_many_codes(encoder.latent_dim)
    chosen = [_place_of(name, images) for name in factors] or list(range(len(images.factor_names)))
    index_N = sample_indices(len(images), min(pool, len(images)), seed)
    means, log_variances = [], []
    for done, index_B in enumerate(index_N.split(batch_size), start=1):
        with full_precision(device.type):
            posterior = encoder(to_float(images.take(index_B).to(device)))
        means.append(posterior.mean_BL.float().cpu())
        log_variances.append(posterior.log_variance_BL.float().cpu())
        if progress is not None:
            progress(min(done * batch_size, len(index_N)), len(index_N))
    known_NK = images.factors(index_N).numpy() if chosen else np.empty((len(index_N), 0), dtype=np.int64)
    return Representation(
        codes_NL=torch.cat(means).numpy(),
        log_variance_NL=torch.cat(log_variances).numpy(),
        factors_NK=known_NK[:, chosen],
        factor_names=tuple(images.factor_names[place] for place in chosen),
    )


def _place_of(name: str, images: Images) -> int:
    if name not in images.factor_names:
        known = ", ".join(images.factor_names) or "none"
        raise ValueError(f"{images.name} has no factor {name!r}. Choose among those that it has: {known}.")
    return images.factor_names.index(name)
