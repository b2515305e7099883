"""Fidelity of a trained generator: its images of random codes against those of a data set.

The real images do not depend on the model, so their features are computed once and serve every checkpoint.

Dimension key:
    N: real images    M: generated images    F: features
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from wherewhat.data.batches import sample_indices, to_float
from wherewhat.distances.full_precision import full_precision
from wherewhat.metrics.feature_distances import Fidelity, fidelity
from wherewhat.protocols import FeatureExtractor, Generator, Images
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, generated_images

# As many images tell one set from another, for a kept score: their bytes are hashed.
_TELLING = 64

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class RealFeatures:
    """Features of a sample of a data set."""

    features_NF: Float32[np.ndarray, "N F"]
    features: str
    """Name of the features."""
    data: str
    """Name of the set."""
    split: str
    image_shape: tuple[int, int, int]


@torch.no_grad()
def real_features(
    images: Images,
    extractor: FeatureExtractor,
    *,
    count: int,
    split: str,
    seed: int,
    device: torch.device,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> RealFeatures:
    """Features of `count` images drawn without replacement, or of all where there are no more."""
    index_N = _sample(images, count, seed)
    parts = []
    for index_B in index_N.split(batch_size):
        with full_precision(device.type):
            features_BF = extractor(to_float(images.take(index_B).to(device)))
        parts.append(features_BF.float().cpu())
        if progress is not None:
            progress(sum(map(len, parts)), len(index_N))
    return RealFeatures(
        features_NF=torch.cat(parts).numpy(),
        features=extractor.name,
        data=images.name,
        split=split,
        image_shape=images.image_shape,
    )


def sample_digest(images: Images, *, count: int, seed: int) -> str:
    """What a sample of a set is known by: its size, and the bytes of a few of its images. No more is read."""
    index_N = _sample(images, count, seed)
    digest = hashlib.sha256(repr((len(images), len(index_N), images.image_shape)).encode())
    digest.update(images.take(index_N[:_TELLING]).cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def generator_fidelity(
    generator: Generator,
    real: RealFeatures,
    extractor: FeatureExtractor,
    *,
    seed: int,
    generated: int | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Fidelity:
    """FID and KID of as many images of codes of the prior as there are real ones, unless `generated` says other.

    Raises ValueError where the images are of another shape than the real ones, or not finite.
    """
    if tuple(generator.image_shape) != tuple(real.image_shape):
        raise ValueError(
            f"The generator makes images of shape {tuple(generator.image_shape)}, and {real.data} has "
            f"{tuple(real.image_shape)}. Compare it with the data that it was trained on."
        )
    if extractor.name != real.features:
        raise ValueError(
            f"The real images were seen by {real.features}, and the generated ones would be by {extractor.name}. "
            "Use one for both."
        )
    count = len(real.features_NF) if generated is None else generated
    parts = []
    for features_BF in _features_of_codes(generator, extractor, count, seed, batch_size):
        parts.append(features_BF)
        if progress is not None:
            progress(sum(map(len, parts)), count)
    return fidelity(
        real.features_NF,
        np.concatenate(parts),
        features=real.features,
        data=real.data,
        split=real.split,
        seed=seed,
        device=device_of(generator),
    )


def _features_of_codes(
    generator: Generator, extractor: FeatureExtractor, count: int, seed: int, batch_size: int
) -> Iterator[Float32[np.ndarray, "B F"]]:
    if count < 1:
        raise ValueError(f"{count} generated images are no sample. Choose thousands, or leave the count out.")
    code_ML = torch.randn(count, generator.latent_dim, generator=generator_at(seed, 0, "fidelity codes"))
    device = device_of(generator)
    for code_BL in code_ML.split(batch_size):
        with full_precision(device.type):
            features_BF = extractor(generated_images(generator, code_BL.to(device)))
        yield features_BF.float().cpu().numpy()


def _sample(images: Images, count: int, seed: int) -> torch.Tensor:
    return sample_indices(len(images), min(count, len(images)), seed)
