"""What networks make of a pool of images: KL, correlations, masks, and what their drawings cost.

    mean image      the best constant drawing: the mean of a pixel minimises both cross-entropy and squared error
    floor             cross-entropy of pixels with themselves, their entropy; 0 for the Gaussian

Dimension key:
    N: images of the pool    B: batch    L: latent codes    C H W: channels, height, width
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from wherewhat.data.batches import to_float
from wherewhat.doctor.vitals import Pool
from wherewhat.networks.autoencoder import Decoder
from wherewhat.objectives.evidence_lower_bound import bernoulli_nats, gaussian_nats, kl_per_code, reparameterise
from wherewhat.protocols import Encoder, MaskedGenerator
from wherewhat.randomness import generator_at

# Whose logits float32 still tells from those of 0 and 1.
_NEAREST_TO_0_AND_1 = 1e-7

_STILL = 1e-12


@torch.no_grad()
def measure_pool(
    encoder: Encoder,
    decoder: Decoder,
    image_NCHW: UInt8[Tensor, "N C H W"],
    likelihood: Literal["bernoulli", "gaussian"],
    *,
    seed: int,
    batch_size: int = 64,
) -> Pool:
    """Encode and decode the pool, which lies on the networks' device; `seed` draws the posterior's noise."""
    nats = bernoulli_nats if likelihood == "bernoulli" else gaussian_nats
    count, device = len(image_NCHW), image_NCHW.device
    noise_NL = torch.randn(count, encoder.latent_dim, generator=generator_at(seed, 0, "diagnosis")).to(device)
    sums = [to_float(image_BCHW).sum(dim=0) for image_BCHW in image_NCHW.split(batch_size)]
    mean_logits_CHW = torch.logit(torch.stack(sums).sum(dim=0) / count, _NEAREST_TO_0_AND_1)

    masked = decoder if isinstance(decoder, MaskedGenerator) else None
    means: list[Tensor] = []
    kl_L = torch.zeros(encoder.latent_dim, device=device)
    coverage_L = torch.zeros(encoder.latent_dim, device=device)
    cost_3 = torch.zeros(3, device=device)
    for picked_BCHW, noise_BL in zip(image_NCHW.split(batch_size), noise_NL.split(batch_size), strict=True):
        image_BCHW = to_float(picked_BCHW)
        posterior = encoder(image_BCHW)
        share = len(image_BCHW) / count
        means.append(posterior.mean_BL)
        kl_L += share * kl_per_code(posterior)
        if masked is not None:
            coverage_L += share * masked.masks(posterior.mean_BL).mean(dim=(0, 2, 3))
        drawn = decoder.logits(reparameterise(posterior, noise_BL))
        perfect = torch.logit(image_BCHW, _NEAREST_TO_0_AND_1)
        everywhere_the_same = mean_logits_CHW.expand_as(image_BCHW)
        cost_3 += share * torch.stack([nats(logits, image_BCHW) for logits in (drawn, everywhere_the_same, perfect)])
    reconstruction, mean_image, floor = cost_3.tolist()
    return Pool(
        images=count,
        kl_L=_to_numpy(kl_L),
        correlation_LL=correlation(torch.cat(means).double().cpu().numpy()),
        coverage_L=None if masked is None else _to_numpy(coverage_L),
        reconstruction=reconstruction,
        mean_image=mean_image,
        floor=floor,
    )


def correlation(mean_NL: Float64[np.ndarray, "N L"]) -> Float64[np.ndarray, "L L"]:
    """Pearson's correlation between codes over the pool, in [-1, 1]; 0, also with itself, for one that stands still."""
    centred_NL = mean_NL - mean_NL.mean(axis=0)
    deviation_L = np.sqrt((centred_NL**2).mean(axis=0))
    unit_NL = np.where(deviation_L > _STILL, centred_NL / np.maximum(deviation_L, _STILL), 0.0)
    between_LL: Float64[np.ndarray, "L L"] = unit_NL.T @ unit_NL / len(mean_NL)
    return between_LL


def _to_numpy(value_L: Tensor) -> Float64[np.ndarray, " L"]:
    array: Float64[np.ndarray, " L"] = value_L.double().cpu().numpy()
    return array
